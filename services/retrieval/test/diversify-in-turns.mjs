// Compares a hundred chunks of the largest size in a process of its own and prints the longest turn of its event loop in
// milliseconds.
import { setTimeout } from 'node:timers/promises';
import { longestTurn } from '../../../libs/testing/dist/longest-turn.js';
import { diversify } from '../dist/domain/mmr.js';

const LENGTH = 99_000;
const pointsOf = (textOf) =>
  Array.from({ length: 100 }, (_, at) => ({ pointId: `p${at}`, score: 1 / (at + 1), text: textOf(at) }));
const words = (at) => Array.from({ length: LENGTH / 9 }, (_, word) => `word${(word * 7 + at * 31) % 9_000}`).join(' ');
const signs = (at) =>
  String.fromCharCode(...Array.from({ length: LENGTH }, (_, sign) => 0x4e00 + ((sign * 7_919 + at * 31) % 20_000)));

const lists = [pointsOf(words), pointsOf(signs)];
const longest = await longestTurn(async () => {
  for (const points of lists) {
    await diversify(points, 0.5, 100);
    await setTimeout(2); // so that its last turn is seen
  }
});
process.stdout.write(String(longest));
