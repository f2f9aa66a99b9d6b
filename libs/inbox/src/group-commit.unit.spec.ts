import { describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
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

  /** Resolves once so many groups have begun. */
  async begun(groups: number): Promise<void> {
    await eventually(`${groups} groups have begun`, () => this.groups.length >= groups);
  }

  /** Lets the groups end that are under way. */
  release(): void {
    for (const release of this.#release.splice(0)) release();
  }
}

describe('group commit', () => {
  it('commits what comes in one turn together, and answers each with its own result', async () => {
    const store = new Store();
    const group = new GroupCommit<Job, string>(store.commit);
    const results = Promise.all([group.submit({ key: 'a' }), group.submit({ key: 'b' })]);
    await store.begun(1);
    store.release();
    expect(await results).toEqual(['a committed', 'b committed']);
    expect(store.groups).toEqual([['a', 'b']]);
  });

  it('gathers what comes while two groups are under way', async () => {
    const store = new Store();
    const group = new GroupCommit<Job, string>(store.commit);
    const results = [group.submit({ key: 'a' })];
    await store.begun(1);
    results.push(group.submit({ key: 'b' }));
    await store.begun(2);
    results.push(...['c', 'd', 'e'].map((key) => group.submit({ key })));
    store.release();
    await store.begun(3);
    store.release();
    await Promise.all(results);
    expect(store.groups).toEqual([['a'], ['b'], ['c', 'd', 'e']]);
  });

  it('never has two jobs of one key under way', async () => {
    const store = new Store();
    const group = new GroupCommit<Job, string>(store.commit);
    const results = [group.submit({ key: 'a' }), group.submit({ key: 'a' }), group.submit({ key: 'b' })];
    await store.begun(1);
    store.release();
    await store.begun(2);
    store.release();
    await Promise.all(results);
    expect(store.groups).toEqual([['a', 'b'], ['a']]);
  });

  it('commits each job of a failed group by itself: only the one to blame fails', async () => {
    const store = new Store();
    const group = new GroupCommit<Job, string>(store.commit);
    const results = Promise.allSettled([
      group.submit({ key: 'good' }),
      group.submit({ key: 'bad', fails: true }),
      group.submit({ key: 'fine' }),
    ]);
    for (const begun of [1, 3, 4]) {
      await store.begun(begun);
      store.release();
    }
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(store.groups).toEqual([['good', 'bad', 'fine'], ['good'], ['bad'], ['fine']]);
  });
});
