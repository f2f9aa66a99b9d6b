import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { documentV1 } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import { DocumentRepository, notFound } from '../adapters/document.repository.js';
import { DeleteDocument } from '../commands/delete-document.js';
import { RetryDocument } from '../commands/retry-document.js';
import { toOperation, type OperationKind } from './document.grpc-mapper.js';

type OperationReply = MessageInitShape<typeof documentV1.OperationSchema>;

/** Changes that run on as operations. */
@Controller()
export class LifecycleGrpcController {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly deleteDocument: DeleteDocument,
    private readonly retryDocument: RetryDocument,
  ) {}

  @GrpcMethod('DocumentService', 'DeleteDocument')
  async delete({ id }: documentV1.DocumentRef): Promise<OperationReply> {
    return this.#operation('deletion', id, await this.deleteDocument.run(id));
  }

  @GrpcMethod('DocumentService', 'RetryDocument')
  async retry({ id }: documentV1.DocumentRef): Promise<OperationReply> {
    return this.#operation('ingestion', id, await this.retryDocument.run(id));
  }

  async #operation(kind: OperationKind, id: string, version: number): Promise<OperationReply> {
    const document = await this.documents.find(currentTenant(), id);
    if (!document) throw notFound(id);
    return toOperation(kind, version, document);
  }
}
