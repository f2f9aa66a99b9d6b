import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { createLogger } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import type { PassageReranker } from '../adapters/passage-reranker.js';
import type { VectorIndex } from '../adapters/vector-index.js';
import { halved } from '../domain/halved-query.js';
import { point } from '../domain/points.fixture.js';
import { parseSearchQuery, type SearchQuery } from '../domain/search-query.js';
import { retrievalConfig } from '../retrieval.config.js';
import { OptionalStep } from './optional-step.js';
import { RerankCandidates } from './rerank-candidates.js';
import { SearchRun } from './search-run.js';

const config = loadConfig(retrievalConfig, { APP_RERANK_BACKEND: 'cross-encoder' });
const index = { withText: (_collection: string, points: readonly unknown[]) => Promise.resolve(points) };
const scope = { deadline: Deadline.in(10_000), signal: new AbortController().signal };
const found = Array.from({ length: 100 }, (_, at) => ({
  ...point(`p${at}`, 1 - at / 100),
  dense: null,
  lexical: null,
}));

/** How many of a hundred candidates the cross-encoder has to read. */
async function readOf(query: SearchQuery): Promise<number> {
  let read = 0;
  const judge = { scores: (_query: string, passages: readonly string[]) => passages.map(() => (read += 1) / 100) };
  const optional = new OptionalStep(createLogger('retrieval', 'silent'));
  const reranker = new RerankCandidates(
    index as unknown as VectorIndex,
    judge as unknown as PassageReranker,
    optional,
    config,
  );
  await reranker.rerank(found, new SearchRun(query, scope));
  return read;
}

describe('a cross-encoder', () => {
  it('reads half as many passages for a question that is to take less work', async () => {
    const query = parseSearchQuery({ query: 'why', collection: '', rerank: true }, 0.6);
    expect(await readOf(query)).toBe(50);
    expect(await readOf(halved(query)!)).toBe(25);
  });
});
