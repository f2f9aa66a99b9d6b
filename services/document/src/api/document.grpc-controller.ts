import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { documentV1 } from '@ragmesh/contracts';
import { type IncomingCall, type Outlet, pacedStream, scopeOf } from '@ragmesh/grpc';
import { currentTenant } from '@ragmesh/observability';
import { decodeCursor, listPage } from '@ragmesh/postgres';
import type { Observable } from 'rxjs';
import { ContentReader, type Content } from '../adapters/content-reader.js';
import { DocumentRepository, notFound } from '../adapters/document.repository.js';
import { DocumentWatch } from '../adapters/document-watch.js';
import { TimelineRepository } from '../adapters/timeline.repository.js';
import { CancelDocument } from '../commands/cancel-document.js';
import { decodeChunkCursor, encodeChunkCursor } from '../domain/chunk-cursor.js';
import { attemptOf, toDocument } from './document.grpc-mapper.js';

type DocumentReply = MessageInitShape<typeof documentV1.DocumentSchema>;

const MAX_PAGE = 200;
const MAX_WAIT_SECONDS = 60;
const pageSize = (limit: number): number => Math.min(limit || 50, MAX_PAGE);

/** Reads: documents, their content, chunks and history. */
@Controller()
export class DocumentGrpcController {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly watch: DocumentWatch,
    private readonly content: ContentReader,
    private readonly timelines: TimelineRepository,
    private readonly cancelDocument: CancelDocument,
  ) {}

  @GrpcMethod('DocumentService', 'GetDocument')
  async get(
    { id, waitSeconds }: documentV1.GetDocumentRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Promise<DocumentReply> {
    const tenant = currentTenant();
    const document = await this.documents.get(tenant, id);
    const terminal = document.status === 'ready' || document.status === 'failed';
    if (waitSeconds <= 0 || terminal) return toDocument(document);
    const { signal } = scopeOf(call);
    await this.watch.untilTerminal(tenant, id, Math.min(waitSeconds, MAX_WAIT_SECONDS) * 1000, signal);
    signal.throwIfAborted();
    const later = await this.documents.findReadable(tenant, id);
    if (!later) throw notFound(id);
    return toDocument(later);
  }

  @GrpcMethod('DocumentService', 'ListDocuments')
  async list({
    collection,
    status,
    limit,
    cursor,
  }: documentV1.ListDocumentsRequest): Promise<MessageInitShape<typeof documentV1.ListDocumentsResponseSchema>> {
    const size = pageSize(limit);
    const filter = {
      collection: collection || undefined,
      status: status || undefined,
      limit: size + 1,
      after: decodeCursor(cursor),
    };
    const { page, nextCursor } = listPage(await this.documents.list(currentTenant(), filter), size);
    return { documents: page.map(toDocument), nextCursor };
  }

  @GrpcMethod('DocumentService', 'CancelDocument')
  async cancel({ id }: documentV1.DocumentRef): Promise<DocumentReply> {
    await this.cancelDocument.run(id);
    return toDocument(await this.documents.get(currentTenant(), id));
  }

  @GrpcMethod('DocumentService', 'ListChunks')
  async listChunks({
    id,
    limit,
    cursor,
  }: documentV1.ListChunksRequest): Promise<MessageInitShape<typeof documentV1.ListChunksResponseSchema>> {
    const { cut, nextOrdinal, chunks } = await this.content.chunkPage(
      currentTenant(),
      id,
      decodeChunkCursor(cursor),
      pageSize(limit),
    );
    return {
      version: BigInt(cut.version),
      nextCursor: nextOrdinal === undefined ? '' : encodeChunkCursor({ cut, ordinal: nextOrdinal }),
      chunks: chunks.map(({ ordinal, text, span: [start, end, chunkPage, heading, metadata] }) => ({
        id: `${id}:${cut.version}:${ordinal}`,
        ordinal,
        text,
        start,
        end,
        ...(chunkPage === null ? {} : { page: chunkPage }),
        ...(heading === null ? {} : { heading }),
        ...(metadata ? { metadata: metadata as never } : {}),
      })),
    };
  }

  @GrpcMethod('DocumentService', 'GetContent')
  async getContent(
    { id, asText }: documentV1.GetContentRequest,
    _metadata: unknown,
    call: IncomingCall & Outlet,
  ): Promise<Observable<MessageInitShape<typeof documentV1.GetContentResponseSchema>>> {
    const tenant = currentTenant();
    const content = asText ? await this.content.text(tenant, id) : await this.content.original(tenant, id);
    return pacedStream(messages(content), call);
  }

  @GrpcMethod('DocumentService', 'GetTimeline')
  async getTimeline({ id }: documentV1.DocumentRef): Promise<MessageInitShape<typeof documentV1.TimelineSchema>> {
    const tenant = currentTenant();
    const document = await this.documents.findReadable(tenant, id);
    if (!document) throw notFound(id);
    const steps = await this.timelines.steps(tenant, document);
    return {
      documentId: id,
      traceId: await this.timelines.traceId(tenant, document),
      steps: steps.map((row) => {
        const version = Number(row.saga_id.slice(row.saga_id.lastIndexOf('@') + 1));
        return {
          saga: row.saga_name,
          step: row.step,
          status: row.status,
          version: BigInt(version),
          attempt: attemptOf(document, version),
          detail: row.detail,
          at: timestampFromDate(row.at),
        };
      }),
    };
  }
}

async function* messages({
  mediaType,
  fileName,
  bytes,
  sha256,
  pieces,
}: Content): AsyncGenerator<MessageInitShape<typeof documentV1.GetContentResponseSchema>> {
  yield { mediaType, fileName, sizeBytes: BigInt(bytes), sha256 };
  for await (const data of pieces) yield { data };
}
