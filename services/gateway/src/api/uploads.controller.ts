import { Controller, Headers, Param, Post, Put, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { takesDocuments } from '../http/body-parsers.js';
import { scopeOf } from '../http/request-scope.js';
import { valid, validate } from '../http/validation.js';
import { IdempotentRequests } from '../idempotency/idempotent-requests.js';
import { Describe } from '../openapi/describe.js';
import { Uploads } from '../uploads/uploads.js';
import { urlProblems } from '../uploads/url-uploads.js';
import { acceptedDocument, acceptedDocuments, jsonUpload, uploadForm, uploadHeaders } from './document.schema.js';
import { idSchema } from './paging.schema.js';

const ACCEPTED = 202;
const body = { 'application/json': jsonUpload, 'multipart/form-data': uploadForm };

/** Documents in. */
@Controller('v1/documents')
export class UploadsController {
  constructor(
    private readonly uploads: Uploads,
    private readonly idempotent: IdempotentRequests,
  ) {}

  @Post()
  @RouteConfig(takesDocuments)
  @Describe({
    summary: 'Upload one or many documents',
    tag: 'Documents',
    headers: uploadHeaders,
    body,
    example: { text: 'The notice period is three months.', title: 'Contract' },
    answers: [{ status: ACCEPTED, description: 'Accepted; several files: `documents`', schema: acceptedDocuments }],
    problems: [
      'DOCUMENT.TOO_LARGE',
      'DOCUMENT.ID_TAKEN',
      'DOCUMENT.EMPTY',
      'DOCUMENT.DELETING',
      'COLLECTION.NOT_FOUND',
      'IDEMPOTENCY.KEY_REUSED',
      'IDEMPOTENCY.IN_PROGRESS',
      'STORAGE.FULL',
      ...urlProblems,
    ],
  })
  async upload(
    @Headers() headers: Record<string, string>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { 'idempotency-key': key } = validate(uploadHeaders, headers);
    const execute = async () => {
      const { body: response, fingerprint } = await this.uploads.accept(request, reply, { replace: false });
      return { status: ACCEPTED, response, fingerprint };
    };
    if (key === undefined) return send(reply, await execute());
    const fingerprint = () => this.uploads.fingerprint(request);
    const { clientLeft, context } = scopeOf(reply);
    const { tenant, subject } = context;
    return send(reply, await this.idempotent.run({ tenant, subject, key }, { execute, fingerprint, clientLeft }));
  }

  @Put(':id')
  @RouteConfig(takesDocuments)
  @Describe({
    summary: 'Replace a document by a new version, or create it',
    tag: 'Documents',
    body,
    example: { text: 'The notice period is six months.' },
    answers: [
      {
        status: ACCEPTED,
        description: 'Accepted; readers see the version before until this one is ready',
        schema: acceptedDocument,
      },
    ],
    problems: [
      'DOCUMENT.TOO_LARGE',
      'DOCUMENT.ID_TAKEN',
      'DOCUMENT.EMPTY',
      'DOCUMENT.DELETING',
      'COLLECTION.NOT_FOUND',
      'STORAGE.FULL',
      ...urlProblems,
    ],
  })
  async replace(
    @Param('id', valid(idSchema)) id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { body: response } = await this.uploads.accept(request, reply, { id, replace: true });
    return send(reply, { status: ACCEPTED, response });
  }
}

async function send(reply: FastifyReply, { status, response }: { status: number; response: unknown }): Promise<void> {
  await reply.status(status).send(response);
}
