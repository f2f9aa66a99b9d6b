import { expect, it } from '@jest/globals';
import { withinAttempts } from './within-attempts.js';

it('tries again until an outcome holds, and no more often than it may', async () => {
  const tried: number[] = [];
  const attempt = async (number: number): Promise<number> => tried.push(number);
  expect(await withinAttempts(3, attempt, (outcome) => outcome === 2)).toBe(2);
  expect(tried).toEqual([1, 2]);
  tried.length = 0;
  expect(await withinAttempts(3, attempt, () => false)).toBe(3);
  expect(tried).toEqual([1, 2, 3]);
});

it('tries nothing again that fails', async () => {
  let tried = 0;
  const broken = (): never => {
    tried += 1;
    throw new TypeError('no attempt');
  };
  await expect(withinAttempts(3, broken, () => false)).rejects.toThrow(TypeError);
  expect(tried).toBe(1);
});
