import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { documentV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { currentTenant } from '@ragmesh/observability';
import { CollectionAccess } from '../adapters/collection-access.repository.js';
import { DocumentRepository, notFound } from '../adapters/document.repository.js';
import { ChangeDocumentAccess } from '../commands/change-document-access.js';
import { accessOf, toDocument } from './document.grpc-mapper.js';

/** Who may read documents. */
@Controller()
export class AccessGrpcController {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly changing: ChangeDocumentAccess,
    private readonly collections: CollectionAccess,
  ) {}

  /** Answers with the document also to a caller who is not on the list any more: it is what the caller just said. */
  @GrpcMethod('DocumentService', 'SetDocumentAccess')
  async set({
    id,
    access,
  }: documentV1.SetDocumentAccessRequest): Promise<MessageInitShape<typeof documentV1.DocumentSchema>> {
    await this.changing.run(id, accessOf(access) ?? null);
    const document = await this.documents.find(currentTenant(), id);
    if (!document) throw notFound(id);
    return toDocument(document);
  }

  /** Safe to repeat. @throws RagmeshError DEPENDENCY.UNAVAILABLE when a newer list is known, so that this one does not hold. */
  @GrpcMethod('DocumentService', 'RestrictCollection')
  async restrict({ collection, principals, revision }: documentV1.RestrictCollectionRequest): Promise<object> {
    const list = { access: principals, revision: Number(revision) };
    if (!(await this.collections.set(currentTenant(), collection, list))) throw isOld();
    return {};
  }

  /**
   * Safe to repeat.
   * @throws RagmeshError COLLECTION.NOT_EMPTY, DEPENDENCY.UNAVAILABLE when a newer list is known: then it is not sealed.
   */
  @GrpcMethod('DocumentService', 'SealCollection')
  async seal({ collection, revision, sealed }: documentV1.SealCollectionRequest): Promise<object> {
    const tenant = currentTenant();
    if (!sealed) await this.collections.set(tenant, collection, { access: null, revision: Number(revision) });
    else if (!(await this.collections.seal(tenant, collection, Number(revision)))) throw isOld();
    return {};
  }
}

const isOld = (): RagmeshError =>
  new RagmeshError('DEPENDENCY.UNAVAILABLE', 'The document service knows a newer access list.');
