import { create } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { GrpcStreamCall } from '@nestjs/microservices';
import { LOGGER } from '@ragmesh/bootstrap';
import { documentV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { scopeOf, toGrpcStatus, type ServerReadableStream, type sendUnaryData } from '@ragmesh/grpc';
import { reportUnexpected, type Logger } from '@ragmesh/observability';
import type { UploadKind } from '../adapters/document.rows.js';
import { AcceptDocument, type Upload } from '../commands/accept-document.js';
import { accessOf, operationId } from './document.grpc-mapper.js';

const kinds: Readonly<Record<number, UploadKind>> = {
  [documentV1.UploadKind.FILE]: 'file',
  [documentV1.UploadKind.TEXT]: 'text',
  [documentV1.UploadKind.CHUNKS]: 'chunks',
};

type UploadCall = ServerReadableStream<documentV1.UploadRequest, documentV1.UploadResponse>;

/** Takes uploads as streams: the file goes to the blob store as it arrives and is never whole in memory. */
@Controller()
export class UploadGrpcController {
  constructor(
    private readonly acceptDocument: AcceptDocument,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @GrpcStreamCall('DocumentService', 'Upload')
  async upload(call: UploadCall, respond: sendUnaryData<documentV1.UploadResponse>): Promise<void> {
    const { signal } = scopeOf(call);
    try {
      const requests = call[Symbol.asyncIterator]() as AsyncIterator<documentV1.UploadRequest>;
      const first = await requests.next();
      if (first.done || first.value.part.case !== 'header')
        throw new RagmeshError('REQUEST.INVALID', 'The first message of an upload must be its header.');
      const accepted = await this.acceptDocument.run(toUpload(first.value.part.value), bytesOf(requests), signal);
      respond(
        null,
        create(documentV1.UploadResponseSchema, {
          id: accepted.id,
          version: BigInt(accepted.version),
          status: accepted.status,
          deduplicated: accepted.deduplicated,
          operationId: operationId('ingestion', accepted.id, accepted.version),
        }),
      );
    } catch (error) {
      reportUnexpected(error, { service: 'document', where: 'Upload' }, this.logger);
      respond(toGrpcStatus(error));
      call.resume(); // what the caller still sends is read and dropped, so that it sees the answer
    }
  }
}

function toUpload(header: documentV1.UploadHeader): Upload {
  const kind = kinds[header.kind];
  if (!kind)
    throw new RagmeshError('REQUEST.INVALID', 'The upload does not say what its bytes are.', { field: 'kind' });
  return {
    id: header.id,
    collection: header.collection,
    title: header.title,
    fileName: header.fileName,
    metadata: header.metadata ?? {},
    ...(header.chunkSize === undefined ? {} : { chunkSize: header.chunkSize }),
    ...(header.chunkOverlap === undefined ? {} : { chunkOverlap: header.chunkOverlap }),
    kind,
    replace: header.replace,
    access: accessOf(header.access),
    seed: header.seed,
    fetchedFrom: header.fetchedFrom,
  };
}

/** A call that is cancelled may look like one that ended, so the sender says when it has sent all. */
async function* bytesOf(requests: AsyncIterator<documentV1.UploadRequest>): AsyncGenerator<Uint8Array> {
  let isComplete = false;
  for (let next = await requests.next(); !next.done; next = await requests.next()) {
    const { part } = next.value;
    if (part.case === 'data') yield part.value;
    if (part.case === 'complete') isComplete = part.value;
  }
  if (!isComplete)
    throw new RagmeshError('REQUEST.CANCELLED', 'The upload broke off before its end; nothing of it was kept.');
}
