import { Injectable } from '@nestjs/common';
import { cacheKey } from '@ragmesh/cache';
import { currentTenant } from '@ragmesh/observability';
import { LRUCache } from 'lru-cache';

const MAX_COLLECTIONS = 10_000;

/**
 * Which embedding model was named for the index of a collection, as the index said last. It refuses a vector of another model
 * and says which one it wants, so what is remembered may be old and no search is ever answered by it.
 */
@Injectable()
export class CollectionModels {
  readonly #named = new LRUCache<string, string>({ max: MAX_COLLECTIONS });

  /** `name@revision`; nothing for this installation's own. */
  of(collection: string): string {
    return this.#named.get(keyOf(collection)) ?? '';
  }

  note(collection: string, model: string): void {
    if (model === '') this.#named.delete(keyOf(collection));
    else this.#named.set(keyOf(collection), model);
  }
}

const keyOf = (collection: string): string => cacheKey('model', currentTenant(), collection);
