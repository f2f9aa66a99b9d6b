import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { vectorV1 } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import { PointRepository } from '../adapters/point.repository.js';
import { SearchIndex } from '../adapters/search-index.js';
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
    private readonly index: SearchIndex,
    private readonly points: PointRepository,
  ) {}

  @GrpcMethod('VectorService', 'SearchDense')
  searchDense(request: vectorV1.SearchDenseRequest): SearchResponse {
    const options = { topK: topKOf(request), filter: this.filters.parse(request.filters) };
    const vector = queryVectorOf(request);
    return { hits: this.open(request)?.searchDense(vector, options).map(toHit) ?? [] };
  }

  @GrpcMethod('VectorService', 'SearchLexical')
  searchLexical(request: vectorV1.SearchLexicalRequest): SearchResponse {
    const options = { topK: topKOf(request), filter: this.filters.parse(request.filters) };
    return { hits: this.open(request)?.searchLexical(request.query, options).map(toHit) ?? [] };
  }

  @GrpcMethod('VectorService', 'SearchHybrid')
  searchHybrid(request: vectorV1.SearchHybridRequest): HybridResponse {
    const options = { topK: topKOf(request), filter: this.filters.parse(request.filters) };
    const found = this.open(request)?.searchHybrid(queryVectorOf(request), request.query, options);
    if (!found) return { hits: [] };
    return { ...found, hits: found.hits.map((hit) => ({ ...hit, version: BigInt(hit.version) })) };
  }

  @GrpcMethod('VectorService', 'GetPoints')
  getPoints(request: vectorV1.GetPointsRequest): SearchResponse {
    return { hits: this.open(request)?.points(request.pointIds).map(toHit) ?? [] };
  }

  /** Chunks of the visible version; none when another version is asked for, so that a result never mixes versions. */
  @GrpcMethod('VectorService', 'GetNeighbours')
  getNeighbours({ collection, documentId, version, ordinals }: vectorV1.GetNeighboursRequest): SearchResponse {
    const index = this.open({ collection });
    const visible = index?.shownVersion(documentId);
    if (visible === undefined || (version !== 0n && BigInt(visible) !== version)) return { hits: [] };
    return { hits: index!.chunks(documentId, visible, new Set(ordinals)).map(toHit) };
  }

  /** Counted in the rows, not in memory: the proof of a deletion. */
  @GrpcMethod('VectorService', 'Count')
  async count({ collection, documentId, version }: vectorV1.CountRequest): Promise<CountResponse> {
    const { points, visible } = await this.points.totals({
      tenant: currentTenant(),
      collection,
      documentId,
      version: Number(version),
    });
    return { points: BigInt(points), visible: BigInt(visible) };
  }

  private open({ collection }: { readonly collection: string }) {
    return this.index.find(currentTenant(), collection);
  }
}
