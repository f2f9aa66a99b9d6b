import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { cacheKey } from '@ragmesh/cache';
import { vectorV1 } from '@ragmesh/contracts';
import { GrpcClients } from '@ragmesh/grpc';
import { EVERYTHING, currentPrincipals, currentTenant, readsEverything } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { LRUCache } from 'lru-cache';
import type { RetrievalConfig } from '../retrieval.config.js';
import { Dependency } from './dependency.js';
import { ResultCache } from './result-cache.js';

const MAX_COLLECTIONS = 10_000;

/**
 * Stands for whoever may read what everyone may, as far as was heard before the index could no longer be asked. What was kept for
 * everyone is still given to them; what is found now may be of fewer, and is kept for nobody.
 */
export const UNSURE = '?';

type Access = Pick<vectorV1.GetAccessResponse, 'stamp' | 'restricted'>;

/** A question to the index that is under way, and the one after it, which all who come meanwhile share. */
interface Reading {
  readonly ended: Promise<unknown>;
  next?: Promise<Access>;
}

/**
 * For whom results hold. It is part of what a search is, and so of every key under which results are kept: after a change of who
 * may read what, no search finds what was kept before. Events that evict come later and only make room.
 */
@Injectable()
export class ReaderScope implements OnModuleDestroy {
  readonly #vector: Dependency;
  readonly #readings = new Map<string, Reading>();
  /** Collections without any list, as far as was heard. */
  readonly #open = new LRUCache<string, true>({ max: MAX_COLLECTIONS });
  readonly #timeoutMs: number;

  constructor(
    private readonly clients: GrpcClients,
    private readonly cache: ResultCache,
    @Inject(CONFIG) { SEARCH_LEG_TIMEOUT }: RetrievalConfig,
  ) {
    this.#timeoutMs = SEARCH_LEG_TIMEOUT * 1000;
    const timeoutMs = this.#timeoutMs;
    this.#vector = new Dependency({ name: 'vector.access', unavailable: 'VECTOR.UNAVAILABLE', timeoutMs });
  }

  /**
   * The same for two callers only while both see the same of a collection. When that cannot be found out: {@link UNSURE} for a
   * collection that had no list when it was last asked for; of another nothing that is kept is given to anybody.
   */
  async of(collection: string): Promise<string> {
    if (!this.cache.isOn) return '';
    // No list changes what they see, so nobody has to be asked; nor do others ever get what was kept for them.
    if (readsEverything(currentPrincipals())) return EVERYTHING;
    const key = cacheKey('access', currentTenant(), collection);
    try {
      const { stamp, restricted } = await this.#read(key, collection);
      if (restricted) this.#open.delete(key);
      else this.#open.set(key, true);
      return restricted ? `${stamp} ${currentPrincipals().toSorted().join()}` : '';
    } catch {
      return this.#open.has(key) ? UNSURE : randomUUID();
    }
  }

  /**
   * Whether everybody of the tenant finds the same in a collection: then what one finds serves all.
   * @throws RagmeshError VECTOR.UNAVAILABLE when that cannot be found out.
   */
  async isOpen(collection: string): Promise<boolean> {
    return !(await this.#read(cacheKey('access', currentTenant(), collection), collection)).restricted;
  }

  /** A collection was heard to have lists. */
  noteLists(tenant: string, collection: string): void {
    this.#open.delete(cacheKey('access', tenant, collection));
  }

  onModuleDestroy(): void {
    this.#vector.close();
  }

  /** Whoever comes while one asks waits for the next to ask: the answer under way may be of before what they must see. */
  #read(key: string, collection: string): Promise<Access> {
    const underWay = this.#readings.get(key);
    if (!underWay) return this.#ask(key, collection);
    return (underWay.next ??= underWay.ended.then(() => this.#ask(key, collection)));
  }

  #ask(key: string, collection: string): Promise<Access> {
    const client = this.clients.of(vectorV1.VectorService);
    const scope = { deadline: Deadline.in(this.#timeoutMs), signal: new AbortController().signal };
    const answer = this.#vector.call((options) => client.getAccess({ collection }, options), scope);
    const reading: Reading = {
      ended: answer.then(
        () => this.#end(key, reading),
        () => this.#end(key, reading),
      ),
    };
    this.#readings.set(key, reading);
    return answer;
  }

  #end(key: string, reading: Reading): void {
    if (!reading.next) this.#readings.delete(key);
  }
}
