import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { CONFIG } from '@ragmesh/bootstrap';
import type { documentV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { currentPrincipals, currentTenant } from '@ragmesh/observability';
import { CollectionAccess } from '../adapters/collection-access.repository.js';
import { GenerationIndex } from '../adapters/generation-index.js';
import { GenerationRepository, type GenerationRow } from '../adapters/generation.repository.js';
import { ReindexProcess } from '../commands/reindex-process.js';
import type { DocumentConfig } from '../document.config.js';
import type { Chunking } from '../domain/chunking.js';
import { checkChunking, checkId } from '../domain/upload.js';
import { toError } from './document.grpc-mapper.js';
import { reindexOperationId, toReindexOperation } from './reindex.grpc-mapper.js';

type OperationReply = MessageInitShape<typeof documentV1.OperationSchema>;
type GenerationReply = MessageInitShape<typeof documentV1.GenerationSchema>;

/** Indexes of collections made anew. */
@Controller()
export class ReindexGrpcController {
  constructor(
    private readonly process: ReindexProcess,
    private readonly generations: GenerationRepository,
    private readonly index: GenerationIndex,
    private readonly collections: CollectionAccess,
    @Inject(CONFIG) private readonly config: DocumentConfig,
  ) {}

  @GrpcMethod('DocumentService', 'StartReindex')
  async start(request: documentV1.StartReindexRequest): Promise<OperationReply> {
    const collection = checkId('collection', request.collection);
    const chunking = chunkingOf(request);
    const model = request.model === '' ? null : await this.index.modelNamed(request.model);
    return this.#operation(collection, await this.process.begin(collection, { chunking, model }));
  }

  @GrpcMethod('DocumentService', 'AbortReindex')
  async abort({ collection }: documentV1.GenerationsRequest): Promise<OperationReply> {
    return this.#operation(collection, await this.process.abort(collection));
  }

  @GrpcMethod('DocumentService', 'RollbackGeneration')
  async rollBack({ collection, generation }: documentV1.GenerationRef): Promise<OperationReply> {
    await this.process.rollBack(collection, generation);
    return this.#operation(collection, generation);
  }

  @GrpcMethod('DocumentService', 'DropGeneration')
  async drop({ collection, generation }: documentV1.GenerationRef): Promise<object> {
    await this.process.drop(collection, generation);
    return {};
  }

  /** A collection whose list does not admit the caller has what one has that nobody ever heard of. */
  @GrpcMethod('DocumentService', 'ListGenerations')
  async list({
    collection,
  }: documentV1.GenerationsRequest): Promise<MessageInitShape<typeof documentV1.ListGenerationsResponseSchema>> {
    const tenant = currentTenant();
    if (!(await this.collections.admits(tenant, collection, currentPrincipals())))
      return { generations: [{ generation: 0, state: 'live' }] };
    const rows = await this.generations.list(tenant, collection);
    const known = rows.length > 0 ? rows : [firstGeneration];
    return { generations: await Promise.all(known.map((row) => this.#describe(tenant, collection, row))) };
  }

  async #describe(tenant: string, collection: string, row: GenerationRow): Promise<GenerationReply> {
    const { generation, state, chunk_size: size, chunk_overlap: overlap, operation, quality, left_at: left } = row;
    const held = state === 'failed' ? undefined : await this.index.state({ tenant, collection, generation }, '', 0);
    const dropAt = state === 'previous' && left && new Date(left.getTime() + this.config.REINDEX_KEEP_PREVIOUS * 1000);
    return {
      ...{ generation, state, documents: held?.complete ?? 0n, points: held?.points ?? 0n },
      ...(size === null ? {} : { chunkSize: size, chunkOverlap: overlap ?? 0 }),
      ...(quality ? { quality } : {}),
      model: modelOf(row),
      ...(row === firstGeneration ? {} : { createdAt: timestampFromDate(row.created_at) }),
      ...(operation.error ? { error: toError(operation.error) } : {}),
      ...(dropAt ? { dropAt: timestampFromDate(dropAt) } : {}),
      operationId: operation.status === undefined ? '' : reindexOperationId(collection, generation),
    };
  }

  async #operation(collection: string, generation: number): Promise<OperationReply> {
    const row = await this.generations.find(currentTenant(), collection, generation);
    return toReindexOperation(collection, row!);
  }
}

const modelOf = ({ model }: GenerationRow): string => model ?? '';

/** What a collection has that was never indexed anew. */
const firstGeneration: GenerationRow = {
  generation: 0,
  state: 'live',
  chunk_size: null,
  chunk_overlap: null,
  model: null,
  operation: {},
  quality: null,
  created_at: new Date(0),
  left_at: null,
};

/** @throws RagmeshError `REQUEST.INVALID` for an overlap without a size. */
function chunkingOf({ chunkSize, chunkOverlap }: documentV1.StartReindexRequest): Chunking {
  if (chunkSize !== undefined) return checkChunking(chunkSize, chunkOverlap ?? 0);
  if (chunkOverlap === undefined) return null;
  throw new RagmeshError('REQUEST.INVALID', 'chunk_overlap needs a chunk_size.', { field: 'chunk_size' });
}
