import type { JsonObject } from '@bufbuild/protobuf';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { vectorV1 } from '@ragmesh/contracts';
import { isRagmeshError } from '@ragmesh/errors';
import { type CallOptions, type CallScope, GrpcClients } from '@ragmesh/grpc';
import type { NeighbourRequest } from '../domain/chunk-run.js';
import { candidateCount, type Legs } from '../domain/fusion.js';
import { comparedCandidates } from '../domain/halved-query.js';
import type { ScoredPoint } from '../domain/scored-point.js';
import type { SearchQuery } from '../domain/search-query.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { CollectionModels } from './collection-models.js';
import { Dependency } from './dependency.js';
import type { QueryVector } from './query-embedder.js';

/** What was found is gone before it could be read: the search starts anew. */
export class IndexChanged extends Error {}

/** What one leg found. */
export interface LegResult {
  readonly points: readonly ScoredPoint[];
  /** The making of the index they are all of, where it was told. */
  readonly generation: number | undefined;
  /** Whether a second store gave them, as the first is away. */
  readonly secondStore: boolean;
}

/** What both legs found. */
export type HybridResult = Legs & Omit<LegResult, 'points'> & { readonly lexicalMs: number };

/** Asks the vector service. The legs fail apart from each other, so each has a breaker of its own. */
@Injectable()
export class VectorIndex implements OnModuleDestroy {
  readonly #dense: Dependency;
  readonly #lexical: Dependency;
  readonly #neighbours: Dependency;

  constructor(
    private readonly clients: GrpcClients,
    private readonly models: CollectionModels,
    @Inject(CONFIG) private readonly config: RetrievalConfig,
  ) {
    const timeoutMs = config.SEARCH_LEG_TIMEOUT * 1000;
    const legOf = (name: string) => new Dependency({ name, unavailable: 'VECTOR.UNAVAILABLE', timeoutMs });
    this.#dense = legOf('vector.dense');
    this.#lexical = legOf('vector.lexical');
    this.#neighbours = legOf('vector.neighbours');
  }

  async searchDense(query: SearchQuery, vector: QueryVector, scope: CallScope): Promise<LegResult> {
    const request = { ...legRequest(query), ...vectorFields(vector) };
    const search = (options: CallOptions) => this.#client.searchDense(request, options);
    return legResult(await this.#byVector(query.collection, () => this.#dense.call(search, scope)));
  }

  async searchLexical(query: SearchQuery, text: string, scope: CallScope): Promise<LegResult> {
    const request = { ...legRequest(query), query: text };
    return legResult(await this.#lexical.call((options) => this.#client.searchLexical(request, options), scope));
  }

  /** Both legs over one snapshot, every point scored by both. Points behind the likely best are unread, see {@link withText}. */
  async searchHybrid(query: SearchQuery, text: string, vector: QueryVector, scope: CallScope): Promise<HybridResult> {
    const leg = { ...legRequest(query), query: text, ...vectorFields(vector) };
    const request = { ...leg, alpha: query.alpha, withChunks: this.#textsWanted(query) };
    const search = (options: CallOptions) => this.#client.searchHybrid(request, options);
    const { hits, lexicalMs, generation, secondStore } = await this.#byVector(query.collection, () =>
      this.#dense.call(search, scope),
    );
    const dense = hits.flatMap((hit) => (hit.dense === undefined ? [] : [scored(hit, hit.dense)]));
    return { dense, lexical: hits.map((hit) => scored(hit, hit.lexical)), lexicalMs, generation, secondStore };
  }

  /**
   * Reads what a hybrid search left unread.
   * @throws IndexChanged when a point is no longer visible: its document was updated meanwhile.
   */
  async withText<P extends ScoredPoint>(collection: string, points: readonly P[], scope: CallScope): Promise<P[]> {
    const unread = points.filter(({ ordinal }) => ordinal === UNREAD);
    if (unread.length === 0) return [...points];
    const request = { collection, pointIds: unread.map(({ pointId }) => pointId) };
    const { hits } = await this.#dense.call((options) => this.#client.getPoints(request, options), scope);
    if (hits.length < unread.length) throw new IndexChanged('A chunk that was found is no longer visible');
    const read = new Map(toPoints({ hits }).map((chunk, index) => [unread[index]!.pointId, chunk]));
    return points.map((point) => ({ ...point, ...read.get(point.pointId), score: point.score }));
  }

  /** The ids that readers know of points, without those that are no longer visible. */
  async chunkIds(collection: string, pointIds: string[], scope: CallScope): Promise<ReadonlyMap<string, string>> {
    if (pointIds.length === 0) return new Map();
    const found = await this.#dense.call((options) => this.#client.getPoints({ collection, pointIds }, options), scope);
    return new Map(toPoints(found).map(({ pointId, chunkId }) => [pointId, chunkId]));
  }

  async neighbours(collection: string, wanted: NeighbourRequest, scope: CallScope): Promise<ScoredPoint[]> {
    const { documentId, version, ordinals, pointId } = wanted;
    const request = { collection, documentId, version: BigInt(version), ordinals: [...ordinals], pointId };
    return toPoints(await this.#neighbours.call((options) => this.#client.getNeighbours(request, options), scope));
  }

  onModuleDestroy(): void {
    for (const dependency of [this.#dense, this.#lexical, this.#neighbours]) dependency.close();
  }

  /** @throws IndexChanged when the index is, by now, of another model than the vector. */
  async #byVector<T>(collection: string, search: () => Promise<T>): Promise<T> {
    try {
      return await search();
    } catch (error) {
      if (!isRagmeshError(error) || error.code !== 'VECTOR.MODEL_CHANGED') throw error;
      this.models.note(collection, String(error.details['model'] ?? ''));
      throw new IndexChanged('The collection is indexed with another embedding model');
    }
  }

  /** Whoever compares candidates by what they say needs the text of all of them. */
  #textsWanted(query: SearchQuery): number {
    const { topK, mmr, rerank, explain } = query;
    if (explain) return candidateCount(topK); // what was dropped is named by the id that readers know
    const compares = mmr !== undefined || (rerank && this.config.APP_RERANK_BACKEND === 'cross-encoder');
    return compares ? comparedCandidates(query) : topK;
  }

  get #client() {
    return this.clients.of(vectorV1.VectorService);
  }
}

const vectorFields = ({ bytes: vector, model, generationModel }: QueryVector) => ({ vector, model, generationModel });

function legRequest({ collection, topK, filters }: SearchQuery) {
  const base = { collection, topK: candidateCount(topK) };
  return filters ? { ...base, filters: filters as JsonObject } : base;
}

const legResult = (response: vectorV1.SearchResponse): LegResult => ({
  points: toPoints(response),
  generation: response.generation,
  secondStore: response.secondStore,
});

function toPoints({ hits }: Pick<vectorV1.SearchResponse, 'hits'>): ScoredPoint[] {
  return hits.map((hit) => ({
    pointId: hit.pointId,
    chunkId: hit.chunkId || hit.pointId,
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

/** Place of a chunk whose text was not asked for yet. */
const UNREAD = -1;
const NO_TEXT = { chunkId: '', ordinal: UNREAD, text: '', start: 0, end: 0, page: null, heading: null, metadata: {} };

function scored({ pointId, documentId, version, chunk }: vectorV1.HybridHit, score: number): ScoredPoint {
  const [read] = chunk ? toPoints({ hits: [chunk] }) : [];
  return read ? { ...read, pointId, score } : { ...NO_TEXT, pointId, documentId, version: Number(version), score };
}
