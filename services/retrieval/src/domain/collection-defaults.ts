import { invalidField } from './field-checks.js';
import { parseSearchQuery, type SearchOptions } from './search-query.js';

type Kind = 'string' | 'number' | 'boolean';

/** Names as the API has them, with the type of their values. */
const known: Readonly<Record<string, readonly [keyof SearchOptions, Kind]>> = {
  mode: ['mode', 'string'],
  top_k: ['topK', 'number'],
  alpha: ['alpha', 'number'],
  min_score: ['minScore', 'number'],
  rerank: ['rerank', 'boolean'],
  expand: ['expand', 'boolean'],
  fusion: ['fusion', 'string'],
  mmr: ['mmr', 'number'],
  multi_query: ['multiQuery', 'boolean'],
  hyde: ['hyde', 'boolean'],
  self_check: ['selfCheck', 'boolean'],
  granularity: ['granularity', 'string'],
};

/**
 * The search defaults of a collection, from `retrieval` in its metadata: `{"retrieval": {"fusion": "rrf", "top_k": 5}}`.
 * @throws RagmeshError REQUEST.INVALID naming what is unknown, of the wrong type or out of its limits.
 */
export function collectionDefaults(metadata: Readonly<Record<string, unknown>>): SearchOptions {
  const { retrieval = {} } = metadata;
  if (typeof retrieval !== 'object' || retrieval === null) throw invalidField('retrieval', 'must be an object');
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(retrieval)) {
    const [option, kind] = known[name] ?? [];
    if (!option) throw invalidField(`retrieval.${name}`, `is unknown; known are ${Object.keys(known).join(', ')}`);
    if (typeof value !== kind) throw invalidField(`retrieval.${name}`, `must be a ${kind}`);
    options[option] = value;
  }
  parseSearchQuery({ query: 'any', collection: '', ...options }, 0);
  return options;
}
