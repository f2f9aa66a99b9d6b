import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from './eventually.js';

describe('what happens eventually', () => {
  afterEach(() => void jest.useRealTimers());

  it('is asked for until there is something, be it zero or empty, and is given back', async () => {
    const answers = [undefined, null, false, 0];
    expect(await eventually('an answer', () => answers.shift())).toBe(0);
    expect(await eventually('a word', async () => '')).toBe('');
    expect(answers).toEqual([]);
  });

  it('is named, with what was seen last, when it does not happen', async () => {
    let seen = 0;
    await expect(eventually('the moon', () => false, 20)).rejects.toThrow('Not within 0.02 s: the moon');
    const last = eventually(
      () => `more than ${seen}`,
      () => (seen += 1) > 1 && undefined,
      0,
    );
    await expect(last).rejects.toThrow(/^Not within 0 s: more than [1-9]\d*$/);
  });

  it('fails at once with what the probe throws', async () => {
    const probe = (): never => {
      throw new TypeError('no probe');
    };
    await expect(eventually('nothing', probe)).rejects.toThrow(TypeError);
  });

  it('is waited for in real time, although a spec has put its own in place', async () => {
    jest.useFakeTimers();
    let asked = 0;
    expect(await eventually('the third time', () => (asked += 1) === 3)).toBe(true);
    await expect(eventually('the moon', () => false, 20)).rejects.toThrow('the moon');
  });
});
