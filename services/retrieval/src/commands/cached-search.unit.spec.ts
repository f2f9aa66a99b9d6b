import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { loadConfig } from '@ragmesh/config';
import { eventsV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { GrpcClients } from '@ragmesh/grpc';
import { createLogger, inContext } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { ReaderScope } from '../adapters/reader-scope.js';
import { ResponseCache } from '../adapters/response-cache.js';
import { ResultCache } from '../adapters/result-cache.js';
import { EvictHidden } from '../consumers/evict-hidden.handler.js';
import { point } from '../domain/points.fixture.js';
import { parseSearchQuery } from '../domain/search-query.js';
import type { RetrievalEvents } from '../publishes/retrieval-events.js';
import { retrievalConfig } from '../retrieval.config.js';
import { CachedSearch } from './cached-search.js';
import type { Search } from './search.js';
import type { SimilarResults } from './similar-results.js';
import { StageTimings } from './stage-timings.js';

const config = loadConfig(retrievalConfig, {});
const logger = createLogger('retrieval', 'silent');
const reader = { requestId: 'r', tenant: 'acme', subject: 'jwt:bob', principals: ['jwt:bob'] };
const scope = { deadline: Deadline.in(10_000), signal: new AbortController().signal };

/** Searches of a collection without lists, in an index that can be asked who may read it, or cannot. */
function searching() {
  const index = { tells: true, shown: 'first' };
  const getAccess = async () => {
    if (!index.tells) throw new RagmeshError('VECTOR.UNAVAILABLE', 'It is away.');
    return { stamp: 0n, restricted: false, shown: index.shown };
  };
  const clients = { of: () => ({ getAccess }) } as unknown as GrpcClients;
  const results = new ResultCache(config, logger, new ResponseCache(config, logger));
  const readers = new ReaderScope(clients, results, config);
  const found = { points: [point('p', 1)], degraded: [] };
  const search = { run: async () => ({ ...found, timings: new StageTimings() }) } as unknown as Search;
  const similar = { covers: () => false } as unknown as SimilarResults;
  const events = { retrievalCompleted: () => undefined } as unknown as RetrievalEvents;
  const cached = new CachedSearch(search, results, similar, events);
  const ask = (text: string): Promise<boolean> =>
    inContext(reader, async () => {
      const query = parseSearchQuery({ query: text, collection: 'rivers' }, 0.6);
      return (await cached.run({ ...query, ...(await readers.of('rivers')) }, scope)).cached;
    });
  const hidden = new EvictHidden(results, readers);
  const hear = (): Promise<unknown> =>
    hidden.handle({ payload: create(eventsV1.AccessChangedSchema, { collection: 'rivers' }), tenant: 'acme' } as never);
  return { index, ask, hear, close: () => readers.onModuleDestroy() };
}

describe('what is kept', () => {
  it('is not given once readers see something else, before any event tells of it', async () => {
    const { index, ask, close } = searching();
    expect(await ask('before')).toBe(false);
    expect(await ask('before')).toBe(true);
    index.shown = 'second';
    expect(await ask('before')).toBe(false);
    close();
  });
});

describe('while nobody can say who may read what is found', () => {
  it('what was kept before is given, and nothing more is kept', async () => {
    const { index, ask, close } = searching();
    expect(await ask('before')).toBe(false);
    index.tells = false;
    expect(await ask('before')).toBe(true);
    expect(await ask('meanwhile')).toBe(false);
    expect(await ask('meanwhile')).toBe(false);
    index.tells = true;
    expect(await ask('meanwhile')).toBe(false);
    expect(await ask('meanwhile')).toBe(true);
    close();
  });

  it('nothing that was kept is given once a list was heard of', async () => {
    const { index, ask, hear, close } = searching();
    expect(await ask('before')).toBe(false);
    index.tells = false;
    await hear();
    expect(await ask('before')).toBe(false);
    close();
  });

  it('nothing is given of a collection that was never asked for', async () => {
    const { index, ask, close } = searching();
    index.tells = false;
    expect(await ask('first')).toBe(false);
    expect(await ask('first')).toBe(false);
    close();
  });
});
