import { Controller, Param, Post, Put, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { takesDocuments } from '../http/body-parsers.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { IdempotentUploads } from '../uploads/idempotent-uploads.js';
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
    private readonly idempotent: IdempotentUploads,
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
  async upload(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.idempotent.answer(request, reply);
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
    await reply.status(ACCEPTED).send(response);
  }
}
