import { Controller, Get, Headers, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { RagmeshError, type ErrorCode } from '@ragmesh/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Calls } from '../api/calls.js';
import { documentBody } from '../api/document.mapper.js';
import { acceptedDocuments, documentSchema, jsonUpload, uploadForm, uploadHeaders } from '../api/document.schema.js';
import { idSchema } from '../api/paging.schema.js';
import { takesDocuments } from '../http/body-parsers.js';
import { scopeOf } from '../http/request-scope.js';
import { valid, validate } from '../http/validation.js';
import { IdempotentRequests } from '../idempotency/idempotent-requests.js';
import { Describe } from '../openapi/describe.js';
import { Uploads } from '../uploads/uploads.js';
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
    private readonly uploads: Uploads,
    private readonly idempotent: IdempotentRequests,
    private readonly calls: Calls,
  ) {}

  @Post('api/v1/documents')
  @RouteConfig(takesDocuments)
  @Describe({ summary: 'Upload one or many documents, as /v1/documents', ...upload })
  async upload(
    @Headers() headers: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.accept(headers, request, reply);
  }

  @Post('documents')
  @RouteConfig(takesDocuments)
  @Describe({ summary: 'Upload one or many documents, as /v1/documents', ...upload })
  async uploadAtRoot(
    @Headers() headers: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.accept(headers, request, reply);
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

  private async accept(headers: Record<string, string>, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { 'idempotency-key': key } = validate(uploadHeaders, headers);
    const execute = async () => {
      const { body: response, fingerprint } = await this.uploads.accept(request, reply, { replace: false });
      return { status: ACCEPTED, response, fingerprint };
    };
    const fingerprint = (): Promise<Buffer> => this.uploads.fingerprint(request);
    const { clientLeft, context } = scopeOf(reply);
    const { tenant, subject } = context;
    const repeatable = { execute, fingerprint, clientLeft };
    const { status, response } = key
      ? await this.idempotent.run({ tenant, subject, key }, repeatable)
      : await execute();
    await reply.status(status).send(response);
  }
}
