import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { vectorV1 } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import { PointRepository } from '../adapters/point.repository.js';
import { VectorStore, type Scope } from '../adapters/vector-store.js';
import { leadingHits } from '../domain/leading-hits.js';
import { MetadataFilters } from './metadata-filters.js';
import { queryVectorOf, toHit, topKOf } from './vector.grpc-mapper.js';

type SearchResponse = MessageInitShape<typeof vectorV1.SearchResponseSchema>;
type HybridResponse = MessageInitShape<typeof vectorV1.SearchHybridResponseSchema>;
type CountResponse = MessageInitShape<typeof vectorV1.CountResponseSchema>;

/** The index as others call it. Searches see visible versions of the caller's tenant only; a collection never used is empty. */
@Controller()
export class VectorGrpcController {
  private readonly filters = new MetadataFilters();

  constructor(
    private readonly store: VectorStore,
    private readonly points: PointRepository,
  ) {}

  @GrpcMethod('VectorService', 'SearchDense')
  async searchDense(request: vectorV1.SearchDenseRequest): Promise<SearchResponse> {
    const options = { topK: topKOf(request), filter: this.filters.parse(request.filters) };
    const hits = await this.store.searchDense(scopeOf(request), queryVectorOf(request), options);
    return { hits: hits.map(toHit) };
  }

  @GrpcMethod('VectorService', 'SearchLexical')
  async searchLexical(request: vectorV1.SearchLexicalRequest): Promise<SearchResponse> {
    const options = { topK: topKOf(request), filter: this.filters.parse(request.filters) };
    const hits = await this.store.searchLexical(scopeOf(request), request.query, options);
    return { hits: hits.map(toHit) };
  }

  @GrpcMethod('VectorService', 'SearchHybrid')
  async searchHybrid(request: vectorV1.SearchHybridRequest): Promise<HybridResponse> {
    const options = { topK: topKOf(request), filter: this.filters.parse(request.filters) };
    const scope = scopeOf(request);
    const found = await this.store.searchHybrid(scope, queryVectorOf(request), request.query, options);
    const leading = leadingHits(found.hits, request.alpha, Math.min(request.withChunks, options.topK));
    const ids = leading.map(({ pointId }) => pointId);
    const chunks = new Map((await this.store.points(scope, ids)).map((chunk) => [chunk.pointId, toHit(chunk)]));
    const hits = found.hits.map((hit) => {
      const chunk = chunks.get(hit.pointId);
      return { ...hit, version: BigInt(hit.version), ...(chunk && { chunk }) };
    });
    return { ...found, hits };
  }

  @GrpcMethod('VectorService', 'GetPoints')
  async getPoints(request: vectorV1.GetPointsRequest): Promise<SearchResponse> {
    return { hits: (await this.store.points(scopeOf(request), request.pointIds)).map(toHit) };
  }

  /** Chunks of the visible version; none when another version is asked for, so that a result never mixes versions. */
  @GrpcMethod('VectorService', 'GetNeighbours')
  async getNeighbours(request: vectorV1.GetNeighboursRequest): Promise<SearchResponse> {
    const { documentId, version, ordinals, pointId } = request;
    const place = { documentId, version: Number(version), ordinals };
    const hits = await this.store.neighbours(scopeOf(request), place);
    // Looked at after them: what the hit and its neighbours belong to was not cut over in between.
    const isShown = pointId === '' || (await this.store.points(scopeOf(request), [pointId])).length > 0;
    return { hits: isShown ? hits.map(toHit) : [] };
  }

  /** Counted in the rows, and for a document in the store, too, whichever has more: the proof of a deletion. */
  @GrpcMethod('VectorService', 'Count')
  async count({ collection, documentId, version }: vectorV1.CountRequest): Promise<CountResponse> {
    const place = { tenant: currentTenant(), collection, documentId };
    const { points, visible, hash } = await this.points.totals({ ...place, version: Number(version) });
    const held = documentId === '' ? 0 : await this.store.count(place, Number(version));
    return { points: BigInt(Math.max(points, held)), visible: BigInt(visible), hash };
  }
}

const scopeOf = ({ collection }: { readonly collection: string }): Scope => ({ tenant: currentTenant(), collection });
