import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { knowledgeV1 } from '@ragmesh/contracts';
import { asService, currentTenant } from '@ragmesh/observability';
import { decodeCursor, listPage } from '@ragmesh/postgres';
import { v7 as uuidv7 } from 'uuid';
import { CollectionRepository, type CollectionRow } from '../adapters/collection.repository.js';
import { ChangeCollectionAccess } from '../commands/change-collection-access.js';
import { DeleteCollection } from '../commands/delete-collection.js';
import { checkCollectionId, defaultCollection } from '../domain/collection-id.js';
import {
  checkChunkingDefaults,
  checkRetrievalDefaults,
  type RetrievalDefaults,
} from '../domain/collection-settings.js';

type CollectionReply = MessageInitShape<typeof knowledgeV1.CollectionSchema>;
type ListReply = MessageInitShape<typeof knowledgeV1.ListCollectionsResponseSchema>;

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

/** Collections of the caller's tenant. */
@Controller()
export class CollectionGrpcController {
  constructor(
    private readonly collections: CollectionRepository,
    private readonly changingAccess: ChangeCollectionAccess,
    private readonly deleting: DeleteCollection,
  ) {}

  /** Makes an id when the request names none. */
  @GrpcMethod('KnowledgeService', 'CreateCollection')
  async create({ id, title, metadata }: knowledgeV1.CreateCollectionRequest): Promise<CollectionReply> {
    const tenant = currentTenant();
    const wanted = id === '' ? uuidv7() : checkCollectionId(id);
    if (wanted === defaultCollection.id) await this.collections.ensure(tenant, wanted);
    await this.collections.create(tenant, wanted, title || wanted, metadata);
    return toCollection(await this.collections.get(tenant, wanted));
  }

  @GrpcMethod('KnowledgeService', 'GetCollection')
  async get({ id }: knowledgeV1.CollectionRef): Promise<CollectionReply> {
    return toCollection(await this.collections.get(currentTenant(), id));
  }

  @GrpcMethod('KnowledgeService', 'ListCollections')
  async list({ limit, cursor }: knowledgeV1.ListCollectionsRequest): Promise<ListReply> {
    const size = Math.min(limit > 0 ? limit : DEFAULT_PAGE, MAX_PAGE);
    const rows = await this.collections.list(currentTenant(), size + 1, decodeCursor(cursor));
    const { page, nextCursor } = listPage(rows, size);
    return { collections: page.map(toCollection), nextCursor };
  }

  @GrpcMethod('KnowledgeService', 'UpdateCollection')
  async update({
    id,
    title,
    metadata,
    defaults,
    chunking,
  }: knowledgeV1.UpdateCollectionRequest): Promise<CollectionReply> {
    const tenant = currentTenant();
    await this.collections.get(tenant, id);
    await this.collections.update(tenant, id, {
      title,
      metadata,
      settings: {
        ...(defaults ? { retrieval: checkRetrievalDefaults(retrievalOf(defaults)) } : {}),
        ...(chunking ? { chunking: chunking.size === 0 ? null : checkChunkingDefaults(chunking) } : {}),
      },
    });
    return toCollection(await this.collections.get(tenant, id));
  }

  /** Answers with the collection also to a caller who is not on the list any more: it is what the caller just said. */
  @GrpcMethod('KnowledgeService', 'SetCollectionAccess')
  async setAccess({ id, access }: knowledgeV1.SetCollectionAccessRequest): Promise<CollectionReply> {
    await this.changingAccess.run(id, access?.restricted ? access.principals : null);
    return toCollection(await asService(() => this.collections.get(currentTenant(), id)));
  }

  @GrpcMethod('KnowledgeService', 'DeleteCollection')
  async delete({
    id,
  }: knowledgeV1.CollectionRef): Promise<MessageInitShape<typeof knowledgeV1.DeleteCollectionResponseSchema>> {
    await this.collections.get(currentTenant(), id);
    await this.deleting.run(id);
    return {};
  }
}

/** The message without what is not set. */
function retrievalOf({ $typeName: _, $unknown: __, ...defaults }: knowledgeV1.RetrievalDefaults): RetrievalDefaults {
  return Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined));
}

function toCollection({
  id,
  title,
  metadata,
  settings,
  created_at,
  documents,
  chunks,
  access,
}: CollectionRow): CollectionReply {
  return {
    id,
    title,
    metadata: metadata as never,
    documents: BigInt(documents),
    chunks: BigInt(chunks),
    createdAt: timestampFromDate(created_at),
    access: { restricted: access !== null, principals: [...(access ?? [])] },
    ...(settings.retrieval ? { defaults: settings.retrieval } : {}),
    ...(settings.chunking ? { chunking: settings.chunking } : {}),
  };
}
