import { beforeEach, describe, expect, it } from '@jest/globals';
import { SharedRun } from './shared-run.js';

describe('a run that many share', () => {
  let noted: string[];
  let written: string[][];
  let shared: SharedRun;
  let finish: () => void;

  beforeEach(() => {
    noted = [];
    written = [];
    shared = new SharedRun(async () => {
      const taken = noted.splice(0);
      await new Promise<void>((resolve) => (finish = resolve));
      written.push(taken);
    });
  });

  /** Lets a run that is due begin. */
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('takes up what was noted before it was asked for', async () => {
    noted.push('first');
    const done = shared.run();
    await turn();
    finish();
    await done;
    expect(written).toEqual([['first']]);
  });

  it('is one for all who ask while another is under way, and takes up what was noted meanwhile', async () => {
    const first = shared.run();
    await turn();
    const others = ['a', 'b', 'c'].map((name) => {
      noted.push(name);
      return shared.run();
    });
    finish();
    await first;
    await turn();
    finish();
    await Promise.all(others);
    expect(written).toEqual([[], ['a', 'b', 'c']]);
  });
});
