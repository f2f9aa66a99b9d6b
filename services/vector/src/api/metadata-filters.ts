import { LRUCache } from 'lru-cache';
import { parseMetadataFilter } from '../domain/metadata-filter-parser.js';
import type { MetadataFilter } from '../domain/metadata-filter.js';

/** The same filter is the same object, so that an index evaluates it once for both legs and for every page of a reader. */
export class MetadataFilters {
  private readonly parsed = new LRUCache<string, MetadataFilter>({ max: 256 });

  /** @throws RagmeshError `FILTER.UNKNOWN_OPERATOR`, `FILTER.INVALID`. */
  parse(input: object | undefined): MetadataFilter | undefined {
    if (input === undefined || Object.keys(input).length === 0) return undefined;
    const key = JSON.stringify(input);
    let filter = this.parsed.get(key);
    if (!filter) this.parsed.set(key, (filter = parseMetadataFilter(input)));
    return filter;
  }
}
