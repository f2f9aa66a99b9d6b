import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { documentV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { currentPrincipals, currentTenant } from '@ragmesh/observability';
import { CollectionAccess } from '../adapters/collection-access.repository.js';
import { DocumentRepository } from '../adapters/document.repository.js';
import { GenerationRepository } from '../adapters/generation.repository.js';
import { parseOperationId, toOperation, toPastDeletion, type DocumentOperation } from './document.grpc-mapper.js';
import { parseReindexOperationId, toReindexOperation } from './reindex.grpc-mapper.js';

type OperationReply = MessageInitShape<typeof documentV1.OperationSchema>;

/** How far what was promised is, read off the document or the generation it is about. */
@Controller()
export class OperationGrpcController {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly generations: GenerationRepository,
    private readonly collections: CollectionAccess,
  ) {}

  @GrpcMethod('DocumentService', 'GetOperation')
  async getOperation({ id }: documentV1.GetOperationRequest): Promise<OperationReply> {
    const tenant = currentTenant();
    const reindex = parseReindexOperationId(id);
    const generation = reindex && (await this.generations.find(tenant, reindex.collection, reindex.generation));
    if (reindex && generation && (await this.collections.admits(tenant, reindex.collection, currentPrincipals())))
      return toReindexOperation(reindex.collection, generation);
    const parsed = parseOperationId(id);
    const operation = parsed && (await this.#ofDocument(parsed));
    if (!operation) throw new RagmeshError('OPERATION.NOT_FOUND', `There is no operation "${id}".`, { id });
    return operation;
  }

  async #ofDocument({ kind, version, documentId }: DocumentOperation): Promise<OperationReply | undefined> {
    const tenant = currentTenant();
    const document = await this.documents.findReadable(tenant, documentId);
    if (!document || document.version < version) return undefined;
    const isGoing = document.status === 'deleting' || document.status === 'deleted';
    if (kind === 'ingestion' || (document.version === version && isGoing)) return toOperation(kind, version, document);
    // The row is of what came after the deletion, if there was one: versions of an id go on counting.
    const deletion = document.version > version && (await this.documents.findDeletion(tenant, documentId, version));
    return deletion ? toPastDeletion(deletion) : undefined;
  }
}
