import { describe, expect, it } from '@jest/globals';
import { inContext } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import type { CallScope } from '@ragmesh/grpc';
import type { ReaderScope } from '../adapters/reader-scope.js';
import { parseSearchQuery, type SearchFields } from '../domain/search-query.js';
import { NO_TOKENS } from '../domain/spent-tokens.js';
import type { CachedAnswer } from './cached-answer.js';
import type { CachedSearch } from './cached-search.js';
import type { PrepareSearch } from './prepare-search.js';
import { WarmCache } from './warm-cache.js';

const caller = { tenant: 'acme', subject: 'spec', requestId: 'r' };

/** Searches that are known, made at once, or end with their time, as their words say. */
const search = {
  isKept: ({ text }: { text: string }) => Promise.resolve(text === 'known'),
  run: ({ text }: { text: string }, { deadline }: CallScope) =>
    new Promise<{ degraded: string[] }>((resolve, reject) => {
      const late = deadline.signal();
      if (text === 'slow') late.addEventListener('abort', () => reject(late.reason as Error), { once: true });
      else resolve({ degraded: [] });
    }),
};
const warming = new WarmCache(
  {
    from: (fields: SearchFields) => Promise.resolve({ query: parseSearchQuery(fields, 0.6), degraded: [] }),
  } as unknown as PrepareSearch,
  search as unknown as CachedSearch,
  {} as CachedAnswer,
  { isOpen: () => Promise.resolve(true) } as unknown as ReaderScope,
);

describe('warming that takes longer than its caller waits', () => {
  it('tells before the time is up how far it came', async () => {
    const scope = { deadline: Deadline.in(3_000), signal: new AbortController().signal };
    const searches = ['known', 'slow', 'slow', 'known', 'never begun'].map((query) => ({ query, collection: '' }));
    const counts = await inContext(caller, () => warming.run(searches, undefined, scope));
    expect(counts).toEqual({ warmed: 0, known: 1, failed: 4, reasons: { 'REQUEST.TIMEOUT': 4 }, usage: NO_TOKENS });
  });
});
