import { describe, expect, it } from '@jest/globals';
import { GroupCommit, type GroupJob } from './group-commit.js';

interface Job extends GroupJob {
  readonly fails?: boolean;
}

/** Records the groups it was asked to commit; each takes until it is released. */
class Store {
  readonly groups: string[][] = [];
  #release: (() => void)[] = [];

  readonly commit = async (jobs: readonly Job[]): Promise<string[]> => {
    this.groups.push(jobs.map(({ key }) => key));
    await new Promise<void>((resolve) => this.#release.push(resolve));
    if (jobs.some(({ fails }) => fails)) throw new Error('rolled back');
    return jobs.map(({ key }) => `${key} committed`);
  };

  async release(): Promise<void> {
    for (const release of this.#release.splice(0)) release();
    await turns();
  }
}

/** Lets everything that waits for the next turns of the event loop happen. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

describe('group commit', () => {
  it('commits what comes in one turn together, and answers each with its own result', async () => {
    const store = new Store();
    const group = new GroupCommit<Job, string>(store.commit);
    const results = Promise.all([group.submit({ key: 'a' }), group.submit({ key: 'b' })]);
    await turns();
    await store.release();
    expect(await results).toEqual(['a committed', 'b committed']);
    expect(store.groups).toEqual([['a', 'b']]);
  });

  it('gathers what comes while two groups are under way', async () => {
    const store = new Store();
    const group = new GroupCommit<Job, string>(store.commit);
    const results: Promise<string>[] = [];
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      results.push(group.submit({ key }));
      await turns();
    }
    expect(store.groups).toEqual([['a'], ['b']]);
    await store.release();
    await store.release();
    await Promise.all(results);
    expect(store.groups).toEqual([['a'], ['b'], ['c', 'd', 'e']]);
  });

  it('never has two jobs of one key under way', async () => {
    const store = new Store();
    const group = new GroupCommit<Job, string>(store.commit);
    const results = [group.submit({ key: 'a' }), group.submit({ key: 'a' }), group.submit({ key: 'b' })];
    await turns();
    expect(store.groups).toEqual([['a', 'b']]);
    await store.release();
    expect(store.groups).toEqual([['a', 'b'], ['a']]);
    await store.release();
    await Promise.all(results);
  });

  it('commits each job of a failed group by itself: only the one to blame fails', async () => {
    const store = new Store();
    const group = new GroupCommit<Job, string>(store.commit);
    const results = Promise.allSettled([
      group.submit({ key: 'good' }),
      group.submit({ key: 'bad', fails: true }),
      group.submit({ key: 'fine' }),
    ]);
    for (let round = 0; round < 4; round += 1) {
      await turns();
      await store.release();
    }
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(store.groups).toEqual([['good', 'bad', 'fine'], ['good'], ['bad'], ['fine']]);
  });
});
