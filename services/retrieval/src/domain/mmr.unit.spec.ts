import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withinAttempts } from '@ragmesh/testing';
import { diversify } from './mmr.js';
import { point, seeded } from './points.fixture.js';
import type { FusedPoint } from './scored-point.js';
import { similarity, termsOf } from './terms.js';

const found = (pointId: string, score: number, text: string): FusedPoint => ({
  ...point(pointId, score, { text }),
  dense: score,
  lexical: null,
});
const ids = (points: readonly FusedPoint[]) => points.map(({ pointId }) => pointId);

const points = [
  found('tides', 1, 'Tides follow the moon.'),
  found('tides again', 0.95, 'Tides follow the moon!'),
  found('bees', 0.6, 'Bees dance for flowers.'),
  found('noise', 0, 'Noise about nothing.'),
];

describe('maximal marginal relevance', () => {
  it('passes over what says the same as what was taken', async () => {
    expect(ids(await diversify(points, 0.5, 2))).toEqual(['tides', 'bees']);
    expect(ids(await diversify(points, 0.5, 4)).sort()).toEqual(ids(points).sort());
  });

  it('keeps the order at 1 and looks for novelty only at 0', async () => {
    expect(ids(await diversify(points, 1, 3))).toEqual(['tides', 'tides again', 'bees']);
    expect(ids(await diversify(points, 0, 4)).at(-1)).toBe('tides again');
  });

  it('keeps scores, the best first, and gives the same list for the same input', async () => {
    const random = seeded(5);
    const words = ['moon', 'sea', 'bee', 'hive', 'ice', 'snow'];
    for (let round = 0; round < 30; round += 1) {
      const text = () => Array.from({ length: 5 }, () => words[Math.floor(random() * words.length)]).join(' ');
      const list = Array.from({ length: 12 }, (_, at) => found(`p${at}`, 1 - at / 12, text()));
      const chosen = await diversify(list, random(), 6);
      expect(chosen[0]).toBe(list[0]);
      expect(new Set(chosen).size).toBe(6);
      expect(chosen.every((one) => list.includes(one))).toBe(true);
    }
    expect(await diversify([], 0.5, 5)).toEqual([]);
  });

  it('compares a hundred long texts without holding the event loop up', async () => {
    const script = fileURLToPath(new URL('../../test/diversify-in-turns.mjs', import.meta.url));
    const run = () => Number(execFileSync(process.execPath, [script], { encoding: 'utf8' }));
    const longest = await withinAttempts(3, run, (turn) => turn < 50);
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(50);
  });
});

describe('likeness of words', () => {
  it.each([
    ['the same words', 'Blue whales', 'BLUE, whales!', 1],
    ['nothing in common', 'Blue whales', 'honey bees', 0],
    ['half of them', 'blue whales', 'blue bees', 0.5],
    ['pairs of characters where words have no spaces', '東京都', '東京', Math.SQRT1_2],
    ['no words at all', '…', 'whales', 0],
    ['long texts that begin alike', `${'blue whales '.repeat(800)}sing`, `${'blue whales '.repeat(800)}sleep`, 1],
  ])('%s', (_, a, b, expected) => expect(similarity(termsOf(a), termsOf(b))).toBeCloseTo(expected, 6));
});
