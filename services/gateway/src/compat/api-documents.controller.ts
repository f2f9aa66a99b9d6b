import { Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { RagmeshError, type ErrorCode } from '@ragmesh/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Calls } from '../api/calls.js';
import { documentBody } from '../api/document.mapper.js';
import { acceptedDocuments, documentSchema, jsonUpload, uploadForm, uploadHeaders } from '../api/document.schema.js';
import { idSchema } from '../api/paging.schema.js';
import { takesDocuments } from '../http/body-parsers.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { IdempotentUploads } from '../uploads/idempotent-uploads.js';
import { urlProblems } from '../uploads/url-uploads.js';

const ACCEPTED = 202;
const statuses = ['uploaded', 'processing', 'ready', 'failed'] as const;
const apiDocument = documentSchema.extend({ status: z.enum(statuses) });
type ApiDocument = z.input<typeof apiDocument>;

const isStatus = (status: string): status is (typeof statuses)[number] =>
  (statuses as readonly string[]).includes(status);

const problems: readonly ErrorCode[] = [
  'DOCUMENT.TOO_LARGE',
  'DOCUMENT.ID_TAKEN',
  'DOCUMENT.EMPTY',
  'DOCUMENT.DELETING',
  'COLLECTION.NOT_FOUND',
  'IDEMPOTENCY.KEY_REUSED',
  'IDEMPOTENCY.IN_PROGRESS',
  'STORAGE.FULL',
  ...urlProblems,
];
const upload = {
  tag: 'Existing clients',
  headers: uploadHeaders,
  body: { 'application/json': jsonUpload, 'multipart/form-data': uploadForm },
  example: { text: 'The notice period is three months.', title: 'Contract' },
  answers: [{ status: ACCEPTED, description: 'Accepted; several files: `documents`', schema: acceptedDocuments }],
  problems,
} as const;

/** Documents for clients that know `/api/v1/documents`. */
@Controller()
export class ApiDocumentsController {
  constructor(
    private readonly uploads: IdempotentUploads,
    private readonly calls: Calls,
  ) {}

  @Post('api/v1/documents')
  @RouteConfig(takesDocuments)
  @Describe({ summary: 'Upload one or many documents, as /v1/documents', ...upload })
  async upload(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.uploads.answer(request, reply);
  }

  @Post('documents')
  @RouteConfig(takesDocuments)
  @Describe({ summary: 'Upload one or many documents, as /v1/documents', ...upload })
  async uploadAtRoot(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.uploads.answer(request, reply);
  }

  @Get('api/v1/documents/:id')
  @Describe({
    summary: 'Get a document',
    tag: 'Existing clients',
    answers: [{ status: 200, description: 'The document', schema: apiDocument }],
    problems: ['DOCUMENT.NOT_FOUND'],
  })
  async get(
    @Param('id', valid(idSchema)) id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ApiDocument> {
    const document = documentBody(await this.calls.documents.getDocument({ id }, this.calls.unary(reply)));
    const { status } = document;
    if (isStatus(status)) return { ...document, status };
    throw new RagmeshError('DOCUMENT.NOT_FOUND', `There is no document "${id}" any more.`, { id });
  }
}
