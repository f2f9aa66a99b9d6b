import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { vectorV1 } from '@ragmesh/contracts';
import { currentPrincipals, currentTenant } from '@ragmesh/observability';
import { AccessRepository } from '../adapters/access.repository.js';
import { GenerationModels, type VectorOrigin } from '../adapters/generation-models.js';
import { PointRepository } from '../adapters/point.repository.js';
import type { IndexedChunk } from '../adapters/embedded-index/indexed-point.js';
import { VectorStore, type Found, type Scope, type SearchOptions } from '../adapters/vector-store.js';
import { leadingHits } from '../domain/leading-hits.js';
import { MetadataFilters } from './metadata-filters.js';
import { queryVectorOf, toHit, topKOf } from './vector.grpc-mapper.js';

type SearchResponse = MessageInitShape<typeof vectorV1.SearchResponseSchema>;
type HybridResponse = MessageInitShape<typeof vectorV1.SearchHybridResponseSchema>;
type CountResponse = MessageInitShape<typeof vectorV1.CountResponseSchema>;

/**
 * The index as others call it. Searches see visible versions of the caller's tenant that the caller may read, and no others; a
 * collection that was never used is empty, and so is one that the caller may not read.
 */
@Controller()
export class VectorGrpcController {
  private readonly filters = new MetadataFilters();

  constructor(
    private readonly store: VectorStore,
    private readonly points: PointRepository,
    private readonly models: GenerationModels,
    private readonly access: AccessRepository,
  ) {}

  @GrpcMethod('VectorService', 'SearchDense')
  async searchDense(request: vectorV1.SearchDenseRequest): Promise<SearchResponse> {
    const [scope, options, vector] = [scopeOf(request), this.optionsOf(request), queryVectorOf(request)];
    if (!(await this.access.admits(scope, currentPrincipals()))) return { hits: [] };
    const search = () => this.store.ask((store) => store.searchDense(scope, vector, options));
    const { found: answer, generation } = await this.models.searchBy(originOf(request), scope, search);
    return { ...hitsOf(answer), generation };
  }

  @GrpcMethod('VectorService', 'SearchLexical')
  async searchLexical(request: vectorV1.SearchLexicalRequest): Promise<SearchResponse> {
    const [scope, options] = [scopeOf(request), this.optionsOf(request)];
    if (!(await this.access.admits(scope, currentPrincipals()))) return { hits: [] };
    const search = () => this.store.ask((store) => store.searchLexical(scope, request.query, options));
    const { found: answer, generation } = await this.models.inOne(scope, search);
    return { ...hitsOf(answer), generation };
  }

  @GrpcMethod('VectorService', 'SearchHybrid')
  async searchHybrid(request: vectorV1.SearchHybridRequest): Promise<HybridResponse> {
    const [scope, options, vector] = [scopeOf(request), this.optionsOf(request), queryVectorOf(request)];
    if (!(await this.access.admits(scope, options.principals))) return { hits: [], denseMs: 0, lexicalMs: 0 };
    const search = () => this.store.ask((store) => store.searchHybrid(scope, vector, request.query, options));
    const { found: answer, generation } = await this.models.searchBy(originOf(request), scope, search);
    const { found, secondStore } = answer;
    const leading = leadingHits(found.hits, request.alpha, Math.min(request.withChunks, options.topK));
    const ids = leading.map(({ pointId }) => pointId);
    const read = await this.store.ask((store) => store.points(scope, ids, options.principals));
    const chunks = new Map(read.found.map((chunk) => [chunk.pointId, toHit(chunk)]));
    const hits = found.hits.map((hit) => {
      const chunk = chunks.get(hit.pointId);
      return { ...hit, version: BigInt(hit.version), ...(chunk && { chunk }) };
    });
    return { ...found, hits, generation, secondStore: secondStore || read.secondStore };
  }

  @GrpcMethod('VectorService', 'GetPoints')
  async getPoints(request: vectorV1.GetPointsRequest): Promise<SearchResponse> {
    return hitsOf(await this.read(scopeOf(request), request.pointIds));
  }

  /** Chunks of the visible version; none when another version is asked for, so that a result never mixes versions. */
  @GrpcMethod('VectorService', 'GetNeighbours')
  async getNeighbours(request: vectorV1.GetNeighboursRequest): Promise<SearchResponse> {
    const { documentId, version, ordinals, pointId } = request;
    const place = { documentId, version: Number(version), ordinals };
    const scope = scopeOf(request);
    const near = await this.store.ask((store) => store.neighbours(scope, place, currentPrincipals()));
    // Looked at after them: what the hit and its neighbours belong to was not cut over in between.
    const isShown =
      pointId === ''
        ? await this.access.admits(scope, currentPrincipals())
        : (await this.read(scope, [pointId])).found.length > 0;
    return isShown ? hitsOf(near) : { hits: [] };
  }

  private async read(scope: Scope, pointIds: readonly string[]): Promise<Found<readonly IndexedChunk[]>> {
    const principals = currentPrincipals();
    if (!(await this.access.admits(scope, principals))) return { found: [], secondStore: false };
    return this.store.ask((store) => store.points(scope, pointIds, principals));
  }

  private optionsOf(
    request: Pick<vectorV1.SearchDenseRequest, 'topK' | 'filters'>,
  ): SearchOptions & { readonly principals: readonly string[] } {
    const filter = this.filters.parse(request.filters);
    return { topK: topKOf(request), filter, principals: currentPrincipals() };
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

const originOf = ({
  generationModel,
  model,
}: Pick<vectorV1.SearchDenseRequest, 'generationModel' | 'model'>): VectorOrigin => ({
  named: generationModel,
  madeBy: model,
});

const hitsOf = ({ found, secondStore }: Found<readonly IndexedChunk[]>): SearchResponse => ({
  hits: found.map(toHit),
  secondStore,
});

const scopeOf = ({ collection }: { readonly collection: string }): Scope => ({ tenant: currentTenant(), collection });
