import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { cacheKey } from '@ragmesh/cache';
import { knowledgeV1 } from '@ragmesh/contracts';
import { asRagmeshError } from '@ragmesh/errors';
import { GrpcClients, type CallOptions } from '@ragmesh/grpc';
import { asService, type Logger } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { LRUCache } from 'lru-cache';
import { collectionDefaults } from '../domain/collection-defaults.js';
import type { SearchOptions } from '../domain/search-query.js';
import { Dependency } from './dependency.js';

/** After so long what is known is used once more and read again behind the caller's back. */
const FRESH_MS = 10_000;
/** What is older than this is not used before it was read again. */
const USABLE_MS = 2 * FRESH_MS;
const TIMEOUT_MS = 1_000;
const MAX_COLLECTIONS = 10_000;

export interface CollectionSetting {
  readonly options: SearchOptions;
  /** False when they could not be read, or are not what a search can be made with. */
  readonly usable: boolean;
}

interface Known extends CollectionSetting {
  readAt: number;
}

/** The search defaults of collections, as knowledge has them; remembered, so that a search need not ask for them. */
@Injectable()
export class CollectionSettings implements OnModuleDestroy {
  readonly #known = new LRUCache<string, Known>({ max: MAX_COLLECTIONS });
  readonly #reading = new Map<string, Promise<CollectionSetting>>();
  readonly #knowledge = new Dependency({
    name: 'knowledge',
    unavailable: 'DEPENDENCY.UNAVAILABLE',
    timeoutMs: TIMEOUT_MS,
  });

  constructor(
    private readonly clients: GrpcClients,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** What is known of a collection of the tenant, without waiting; undefined where it is not known well enough. */
  known(tenant: string, id: string): CollectionSetting | undefined {
    const key = cacheKey('collection', tenant, id);
    const known = this.#known.get(key);
    const age = known ? performance.now() - known.readAt : Infinity;
    if (age > USABLE_MS) return undefined;
    if (known && age > FRESH_MS) {
      known.readAt = performance.now(); // one reads for all
      void this.read(tenant, id);
    }
    return known;
  }

  /** Asks for them, once for all who want them now. Never throws: a failure keeps what was known, for another while. */
  read(tenant: string, id: string): Promise<CollectionSetting> {
    const key = cacheKey('collection', tenant, id);
    const underWay = this.#reading.get(key) ?? this.#remember(key, id);
    this.#reading.set(key, underWay);
    return underWay;
  }

  onModuleDestroy(): void {
    this.#knowledge.close();
  }

  async #remember(key: string, id: string): Promise<CollectionSetting> {
    const read = await this.#read(id).catch((error: unknown) => this.#failed(key, error));
    this.#known.set(key, { ...read, readAt: performance.now() });
    this.#reading.delete(key);
    return read;
  }

  async #read(id: string): Promise<CollectionSetting> {
    const client = this.clients.of(knowledgeV1.KnowledgeService);
    const scope = { deadline: Deadline.in(TIMEOUT_MS), signal: new AbortController().signal };
    // For whoever searches in it next, too; what the collection holds is not told.
    const read = (options: CallOptions) => asService(() => client.getCollection({ id }, options));
    const { defaults } = await this.#knowledge.call(read, scope);
    return { options: collectionDefaults(defaults), usable: true };
  }

  #failed(key: string, failure: unknown): CollectionSetting {
    const { code } = asRagmeshError(failure);
    if (code === 'COLLECTION.NOT_FOUND') return { options: {}, usable: true };
    this.logger.warn({ code }, 'The search defaults of a collection could not be used');
    const before = this.#known.get(key);
    return before && code !== 'REQUEST.INVALID' ? before : { options: {}, usable: false };
  }
}
