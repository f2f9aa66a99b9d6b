import { expect, it } from '@jest/globals';
import { Stillness } from './stillness.js';

let now = 0;
const stillness = new Stillness(30, () => now);
const isStillAt = (at: number, id: string, state: string): boolean => {
  now = at;
  return stillness.isStill(id, state);
};

it('says what has not changed for its time, and again after as long', () => {
  expect([isStillAt(0, 'a', 'x'), isStillAt(29, 'a', 'x'), isStillAt(30, 'a', 'x')]).toEqual([false, false, true]);
  expect([isStillAt(31, 'a', 'x'), isStillAt(60, 'a', 'x')]).toEqual([false, true]);
  expect([isStillAt(100, 'a', 'y'), isStillAt(129, 'a', 'y'), isStillAt(130, 'a', 'y')]).toEqual([false, false, true]);
});

it('knows nothing of what has moved or ended', () => {
  for (const id of ['b', 'c', 'd']) isStillAt(200, id, 'x');
  stillness.forget('b');
  stillness.keepOnly(['d']);
  expect([isStillAt(300, 'b', 'x'), isStillAt(300, 'c', 'x'), isStillAt(300, 'd', 'x')]).toEqual([false, false, true]);
});
