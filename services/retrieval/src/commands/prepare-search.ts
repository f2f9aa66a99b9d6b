import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { currentTenant } from '@ragmesh/observability';
import { CollectionSettings, type CollectionSetting } from '../adapters/collection-settings.js';
import { collectionOf, parseSearchQuery, type SearchFields, type SearchQuery } from '../domain/search-query.js';
import type { RetrievalConfig } from '../retrieval.config.js';

export interface Prepared {
  readonly query: SearchQuery;
  /** `defaults` when those of the collection could not be used. */
  readonly degraded: readonly string[];
}

/** Checks a search and fills in what its collection and the configuration have for what it leaves open. */
@Injectable()
export class PrepareSearch {
  constructor(
    private readonly settings: CollectionSettings,
    @Inject(CONFIG) private readonly config: RetrievalConfig,
  ) {}

  /** At once, but for the first search in a collection, which waits for its settings. @throws REQUEST.INVALID */
  from(fields: SearchFields): Prepared | Promise<Prepared> {
    const [tenant, id] = [currentTenant(), collectionOf(fields)];
    const setting = this.settings.known(tenant, id);
    if (setting) return this.#prepared(fields, setting);
    parseSearchQuery(fields, this.config.SEARCH_ALPHA); // what is wrong in itself asks nobody
    return this.settings.read(tenant, id).then((read) => this.#prepared(fields, read));
  }

  #prepared(fields: SearchFields, { options, usable }: CollectionSetting): Prepared {
    return { query: parseSearchQuery(fields, this.config.SEARCH_ALPHA, options), degraded: usable ? [] : ['defaults'] };
  }
}
