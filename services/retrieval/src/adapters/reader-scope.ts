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

/** For whom what is found in a collection holds, and as of when; the same only while nothing of either has changed. */
export interface Scope {
  readonly readers: string;
  /**
   * As it was last heard, before the index could no longer be asked. What was kept then is still given; what is found now may be of
   * fewer or of something else, and is kept for nobody.
   */
  readonly isUnsure?: true;
}

type Access = Pick<vectorV1.GetAccessResponse, 'stamp' | 'restricted' | 'shown'>;

/** A question to the index that is under way, and the one after it, which all who come meanwhile share. */
interface Reading {
  readonly ended: Promise<unknown>;
  next?: Promise<Access>;
}

/**
 * For whom results hold, and as of which state of the collection. It is part of what a search is, and so of every key under which
 * results are kept: after a change of what is there, or of who may read it, no search finds what was kept before. Events that
 * evict come later and only make room.
 */
@Injectable()
export class ReaderScope implements OnModuleDestroy {
  readonly #vector: Dependency;
  readonly #readings = new Map<string, Reading>();
  /** What searches saw of collections, and whether there was a list in them, as it was last heard. */
  readonly #heard = new LRUCache<string, Access>({ max: MAX_COLLECTIONS });
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
   * When the index cannot be asked: as it was last heard, for everybody where there was no list then, and for those who read
   * everything; nothing that is kept is given to others. A list that was set since holds only once word of it comes (`noteLists`).
   */
  async of(collection: string): Promise<Scope> {
    if (!this.cache.isOn) return { readers: '' };
    const key = cacheKey('access', currentTenant(), collection);
    try {
      const access = await this.#read(key, collection);
      this.#heard.set(key, access);
      return { readers: readersOf(access) };
    } catch {
      const heard = this.#heard.get(key);
      const isKnown = heard !== undefined && (!heard.restricted || readsEverything(currentPrincipals()));
      return isKnown ? { readers: readersOf(heard), isUnsure: true } : { readers: randomUUID() };
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
    this.#heard.delete(cacheKey('access', tenant, collection));
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

/** No list changes what those see who read everything; nor do others ever get what was kept for them. */
function readersOf({ shown, stamp, restricted }: Access): string {
  const principals = currentPrincipals();
  if (readsEverything(principals)) return `${shown} ${EVERYTHING}`;
  return restricted ? `${shown} ${stamp} ${principals.toSorted().join()}` : shown;
}
