import { describe, expect, it } from '@jest/globals';
import { EmbedRequest, type PendingText } from './embed-request.js';
import { Suspects } from './suspects.js';

const request = (): EmbedRequest => new EmbedRequest(1, {}, () => undefined);
const pending = (text: string, of = request()): PendingText => ({
  ...{ text, index: 7, tokens: 3, request: of, failuresAlone: 0 },
});

/** Runs what is suspected until nothing is left; a batch with a bad text fails. */
function work(suspects: Suspects, bad: string): { runs: string[][]; served: string[] } {
  const runs: string[][] = [];
  const served: string[] = [];
  for (let batch = suspects.next(); batch; batch = suspects.next()) {
    runs.push(batch.map(({ text }) => text));
    if (batch.some(({ text }) => text === bad)) suspects.add(batch, true, 'crash');
    else served.push(...batch.map(({ text }) => text));
  }
  return { runs, served };
}

describe('looking for the text that ends its thread', () => {
  it('halves the batch until it is alone, serves its neighbours and accuses it', () => {
    const accused: string[] = [];
    const suspects = new Suspects(({ text }) => accused.push(text));
    const batch = [...'abcdefgh'].map((text) => pending(text));
    suspects.add(batch, true, 'crash');
    const { runs, served } = work(suspects, 'f');
    expect(accused).toEqual(['f']);
    expect(served.toSorted()).toEqual([...'abcdegh']);
    expect(Math.max(...runs.map(({ length }) => length))).toBe(4);
    expect(runs.filter((run) => run.includes('f'))).toEqual([['e', 'f', 'g', 'h'], ['e', 'f'], ['f'], ['f']]);
  });

  it('neither cuts nor blames a batch that only waited on the thread that died', () => {
    const suspects = new Suspects(() => undefined);
    const alone = pending('a');
    suspects.add([alone], false, 'crash');
    suspects.add([pending('b'), pending('c')], false, 'crash');
    expect(work(suspects, '').runs).toEqual([['a'], ['b', 'c']]);
    expect(alone.failuresAlone).toBe(0);
  });

  it('forgets texts that nobody waits for any more', () => {
    const controller = new AbortController();
    const gone = new EmbedRequest(1, { signal: controller.signal }, () => undefined);
    gone.result.catch(() => undefined);
    const suspects = new Suspects(() => undefined);
    suspects.add([pending('a', gone), pending('b')], false, 'crash');
    controller.abort();
    expect(work(suspects, '').runs).toEqual([['b']]);
  });
});
