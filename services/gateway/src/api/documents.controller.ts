import { Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { chunkBody, documentBody, operationLink, timelineBody } from './document.mapper.js';
import * as schema from './document.schema.js';
import { idSchema, nextCursor, pageOf, pageQuery } from './paging.schema.js';

const documentPage = pageOf(schema.documentSchema);
const chunkPage = pageOf(schema.documentChunk).extend({ version: schema.documentSchema.shape.version });
const id = valid(idSchema);

/** Reads documents and steers their life cycle. */
@Controller('v1/documents')
export class DocumentsController {
  constructor(private readonly calls: Calls) {}

  @Get()
  @Describe({
    summary: 'List documents',
    tag: 'Documents',
    query: schema.listDocumentsQuery,
    answers: [{ status: 200, description: 'One page, newest first', schema: documentPage }],
    problems: [],
  })
  async list(
    @Query(valid(schema.listDocumentsQuery)) query: z.output<typeof schema.listDocumentsQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof documentPage>> {
    const page = await this.calls.documents.listDocuments(
      { ...query, status: query.status ?? '' },
      this.calls.unary(reply),
    );
    return { data: page.documents.map(documentBody), next_cursor: nextCursor(page.nextCursor) };
  }

  @Get(':id')
  @Describe({
    summary: 'Get a document; with `wait`, once it is ready or failed',
    tag: 'Documents',
    query: schema.getDocumentQuery,
    answers: [{ status: 200, description: 'The document', schema: schema.documentSchema }],
    problems: ['DOCUMENT.NOT_FOUND'],
  })
  async get(
    @Param('id', id) documentId: string,
    @Query(valid(schema.getDocumentQuery)) { wait }: z.output<typeof schema.getDocumentQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof schema.documentSchema>> {
    if (wait > 0) scopeOf(reply).slot.becomeStream();
    const document = await this.calls.documents.getDocument(
      { id: documentId, waitSeconds: wait },
      this.calls.unary(reply, wait),
    );
    return documentBody(document);
  }

  @Delete(':id')
  @HttpCode(202)
  @Describe({
    summary: 'Delete a document',
    tag: 'Documents',
    answers: [{ status: 202, description: 'The deletion began', schema: schema.deletingDocument }],
    problems: ['DOCUMENT.NOT_FOUND'],
  })
  async delete(@Param('id', id) documentId: string): Promise<z.input<typeof schema.deletingDocument>> {
    const operation = await this.calls.documents.deleteDocument({ id: documentId }, this.calls.write());
    return { id: documentId, status: 'deleting', operation: operationLink(operation.id) };
  }

  @Get(':id/chunks')
  @Describe({
    summary: 'List the chunks of the version readers see',
    tag: 'Documents',
    query: pageQuery,
    answers: [{ status: 200, description: 'One page, in the order of the text', schema: chunkPage }],
    problems: ['DOCUMENT.NOT_FOUND', 'DOCUMENT.NOT_READY', 'DOCUMENT.FAILED'],
  })
  async chunks(
    @Param('id', id) documentId: string,
    @Query(valid(pageQuery)) query: z.output<typeof pageQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof chunkPage>> {
    const page = await this.calls.documents.listChunks({ id: documentId, ...query }, this.calls.unary(reply));
    return {
      data: page.chunks.map(chunkBody),
      next_cursor: nextCursor(page.nextCursor),
      version: Number(page.version),
    };
  }

  @Get(':id/timeline')
  @Describe({
    summary: 'Show every step a document went through',
    tag: 'Documents',
    answers: [{ status: 200, description: 'Steps in order of time', schema: schema.timelineSchema }],
    problems: ['DOCUMENT.NOT_FOUND'],
  })
  async timeline(
    @Param('id', id) documentId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof schema.timelineSchema>> {
    return timelineBody(await this.calls.documents.getTimeline({ id: documentId }, this.calls.unary(reply)));
  }

  @Post(':id/retry')
  @HttpCode(202)
  @Describe({
    summary: 'Resume a failed document where it failed',
    tag: 'Documents',
    answers: [{ status: 202, description: 'Ingestion goes on', schema: schema.retriedDocument }],
    problems: ['DOCUMENT.NOT_FOUND', 'DOCUMENT.NOT_FAILED'],
  })
  async retry(@Param('id', id) documentId: string): Promise<z.input<typeof schema.retriedDocument>> {
    const operation = await this.calls.documents.retryDocument({ id: documentId }, this.calls.write());
    return {
      id: documentId,
      version: Number(operation.version),
      status: operation.status,
      operation: operationLink(operation.id),
    };
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Describe({
    summary: 'Stop an ingestion that is running',
    tag: 'Documents',
    answers: [{ status: 200, description: 'The document as it is now', schema: schema.documentSchema }],
    problems: ['DOCUMENT.NOT_FOUND', 'DOCUMENT.NOT_CANCELLABLE'],
  })
  async cancel(@Param('id', id) documentId: string): Promise<z.input<typeof schema.documentSchema>> {
    return documentBody(await this.calls.documents.cancelDocument({ id: documentId }, this.calls.write()));
  }
}
