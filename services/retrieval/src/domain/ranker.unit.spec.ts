import { describe, expect, it } from '@jest/globals';
import { fuseByWeightedSum } from './fusion.js';
import { point, randomLegs, seeded } from './points.fixture.js';
import { rerankByBlend } from './ranker.js';
import { keepOneVersion, keepOneVersionAcross } from './version-consistency.js';

describe('rerankByBlend', () => {
  const candidates = fuseByWeightedSum({
    dense: [point('meaning', 0.8), point('words', 0.5), point('neither', 0.2)],
    lexical: [point('words', 9), point('meaning', 4), point('neither', 1)],
  });

  it('puts meaning before words by default, and follows alpha', () => {
    expect(rerankByBlend(candidates)!.map(({ pointId }) => pointId)).toEqual(['meaning', 'words', 'neither']);
    expect(rerankByBlend(candidates, 0.1)![0]!.pointId).toBe('words');
  });

  it('has nothing to blend where one leg is missing', () => {
    const leg = [point('a', 3), point('b', 2)];
    expect(rerankByBlend(fuseByWeightedSum({ dense: [], lexical: leg }))).toBeUndefined();
    expect(rerankByBlend(fuseByWeightedSum({ dense: leg, lexical: [] }))).toBeUndefined();
    expect(rerankByBlend([])).toEqual([]);
  });

  it('gives nothing for words where no hit has a word of the question', () => {
    const lexical = [point('a', 0), point('b', 0)];
    const blended = rerankByBlend(fuseByWeightedSum({ dense: [point('a', 0.9), point('b', 0.1)], lexical }))!;
    expect(blended.map(({ score }) => score)).toEqual([0.7, 0]);
  });

  it('neither adds nor loses points, and does not depend on their order', () => {
    const random = seeded(3);
    for (let round = 0; round < 50; round++) {
      const fused = fuseByWeightedSum(randomLegs(random));
      expect(rerankByBlend(fused)).toHaveLength(fused.length);
      expect(rerankByBlend(fused.toReversed())).toEqual(rerankByBlend(fused));
    }
  });
});

describe('keepOneVersion', () => {
  it('answers from the newest version only while two are visible', () => {
    const points = [
      point('a1', 3, { documentId: 'a', version: 1 }),
      point('b1', 2, { documentId: 'b', version: 1 }),
      point('a2', 1, { documentId: 'a', version: 2 }),
    ];
    expect(keepOneVersion(points).map(({ pointId }) => pointId)).toEqual(['b1', 'a2']);
  });

  it('lets one leg hide what the other leg still saw', () => {
    const old = point('a1', 3, { documentId: 'a', version: 1 });
    const current = point('a2', 1, { documentId: 'a', version: 2 });
    expect(keepOneVersionAcross([[old], [current]])).toEqual([[], [current]]);
  });
});
