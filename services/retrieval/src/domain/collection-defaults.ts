import { parseSearchQuery, type SearchOptions } from './search-query.js';

/** The search defaults of a collection as they are kept; what is undefined is left to the installation. */
export type GivenDefaults = { readonly [Name in keyof SearchOptions]?: SearchOptions[Name] | undefined };

const names = [
  ...(['mode', 'topK', 'alpha', 'minScore', 'rerank', 'expand', 'fusion', 'mmr'] as const),
  ...(['multiQuery', 'hyde', 'selfCheck', 'granularity'] as const),
];

/**
 * What searches of a collection take that say nothing else.
 * @throws RagmeshError REQUEST.INVALID for a value this release cannot search with; a later one may have written it.
 */
export function collectionDefaults(given: GivenDefaults = {}): SearchOptions {
  const options = Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
  parseSearchQuery({ query: 'any', collection: '', ...options }, 0);
  return options;
}
