import { describe, expect, it } from '@jest/globals';
import { Deadline } from '@ragmesh/resilience';
import { IndexChanged, type VectorIndex } from '../adapters/vector-index.js';
import { point } from '../domain/points.fixture.js';
import { parseSearchQuery } from '../domain/search-query.js';
import { RankCandidates } from './rank-candidates.js';
import type { RerankCandidates } from './rerank-candidates.js';
import type { FoundLegs, SearchLegs, Wording } from './search-legs.js';
import { SearchRun } from './search-run.js';

const index = { withText: (_collection: string, points: readonly unknown[]) => Promise.resolve(points) };
const scope = { deadline: Deadline.in(10_000), signal: new AbortController().signal };

/** Each wording finds one chunk, in the generation that is its text. */
const legs = {
  find: (_run: SearchRun, { text }: Wording): Promise<FoundLegs> => {
    const generation = text === '' ? undefined : Number(text);
    return Promise.resolve({
      dense: [point(`p${text}`, 0.5)],
      lexical: [],
      missing: null,
      generation,
      secondStore: false,
    });
  },
};

const rank = (...texts: [string, ...string[]]) => {
  const candidates = new RankCandidates(
    legs as unknown as SearchLegs,
    index as unknown as VectorIndex,
    {} as RerankCandidates,
  );
  const run = new SearchRun(parseSearchQuery({ query: 'why', collection: '' }, 0.6), scope);
  const [first, ...more] = texts.map((text) => ({ text })) as [Wording, ...Wording[]];
  return candidates.rank(run, [first, ...more]);
};

describe('several wordings of one question', () => {
  it('are searched anew when readers were changed over to another generation between them', async () => {
    await expect(rank('0', '0', '1')).rejects.toBeInstanceOf(IndexChanged);
  });

  it('become one list when they saw the same generation, or none was told', async () => {
    expect((await rank('1', '1')).cut).toHaveLength(1);
    expect((await rank('', '0')).cut).toHaveLength(2);
  });
});
