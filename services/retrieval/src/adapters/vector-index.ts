import type { JsonObject } from '@bufbuild/protobuf';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { vectorV1 } from '@ragmesh/contracts';
import { GrpcClients } from '@ragmesh/grpc';
import type { CallScope } from '../api/call-scope.js';
import type { NeighbourRequest } from '../domain/expansion.js';
import { candidateCount } from '../domain/fusion.js';
import type { ScoredPoint } from '../domain/scored-point.js';
import type { SearchQuery } from '../domain/search-query.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { Dependency } from './dependency.js';
import type { QueryVector } from './query-embedder.js';

/** Asks the vector service. The legs fail apart from each other, so each has a breaker of its own. */
@Injectable()
export class VectorIndex implements OnModuleDestroy {
  readonly #dense: Dependency;
  readonly #lexical: Dependency;
  readonly #neighbours: Dependency;

  constructor(
    private readonly clients: GrpcClients,
    @Inject(CONFIG) config: RetrievalConfig,
  ) {
    const timeoutMs = config.SEARCH_LEG_TIMEOUT * 1000;
    const legOf = (name: string) => new Dependency({ name, unavailable: 'VECTOR.UNAVAILABLE', timeoutMs });
    this.#dense = legOf('vector.dense');
    this.#lexical = legOf('vector.lexical');
    this.#neighbours = legOf('vector.neighbours');
  }

  async searchDense(query: SearchQuery, vector: QueryVector, scope: CallScope): Promise<ScoredPoint[]> {
    const request = { ...legRequest(query), vector: vector.bytes, model: vector.model };
    return toPoints(await this.#dense.call((options) => this.#client.searchDense(request, options), scope));
  }

  async searchLexical(query: SearchQuery, scope: CallScope): Promise<ScoredPoint[]> {
    const request = { ...legRequest(query), query: query.text };
    return toPoints(await this.#lexical.call((options) => this.#client.searchLexical(request, options), scope));
  }

  async neighbours(collection: string, wanted: NeighbourRequest, scope: CallScope): Promise<ScoredPoint[]> {
    const { documentId, version, ordinals } = wanted;
    const request = { collection, documentId, version: BigInt(version), ordinals: [...ordinals] };
    return toPoints(await this.#neighbours.call((options) => this.#client.getNeighbours(request, options), scope));
  }

  onModuleDestroy(): void {
    for (const dependency of [this.#dense, this.#lexical, this.#neighbours]) dependency.close();
  }

  get #client() {
    return this.clients.of(vectorV1.VectorService);
  }
}

function legRequest({ collection, topK, filters }: SearchQuery) {
  const base = { collection, topK: candidateCount(topK) };
  return filters ? { ...base, filters: filters as JsonObject } : base;
}

/** A chunk is known to readers by its chunk id, which is as unique as the index's own id of its point. */
function toPoints({ hits }: vectorV1.SearchResponse): ScoredPoint[] {
  return hits.map((hit) => ({
    pointId: hit.chunkId || hit.pointId,
    documentId: hit.documentId,
    version: Number(hit.version),
    ordinal: hit.ordinal,
    score: hit.score,
    text: hit.text,
    start: hit.start,
    end: hit.end,
    page: hit.page ?? null,
    heading: hit.heading ?? null,
    metadata: hit.metadata ?? {},
  }));
}
