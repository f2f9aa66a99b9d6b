import { Body, Controller, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { takesTexts } from '../http/body-parsers.js';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { IndexDocuments } from './index-documents.js';
import { indexAnswer, indexRequest, type IndexInput } from './index.schema.js';

/** Documents for clients that know `/index`: what it took can be searched when it answers. */
@Controller('index')
export class IndexController {
  constructor(private readonly documents: IndexDocuments) {}

  @Post()
  @RouteConfig(takesTexts)
  @Describe({
    summary: 'Index texts and wait until they can be searched',
    tag: 'Existing clients',
    body: { 'application/json': indexRequest },
    example: { documents: [{ id: 'contract', text: 'The notice period is three months.' }] },
    answers: [
      { status: 200, description: 'Every document is indexed or has failed', schema: indexAnswer },
      { status: 202, description: 'The time was up before the `pending` ones were', schema: indexAnswer },
    ],
    problems: [
      'DOCUMENT.TOO_LARGE',
      'DOCUMENT.ID_TAKEN',
      'DOCUMENT.DELETING',
      'DOCUMENT.EMPTY',
      'DOCUMENT.LIMIT_EXCEEDED',
      'DOCUMENT.CANCELLED',
      'DOCUMENT.DEADLINE_EXCEEDED',
      'COLLECTION.NOT_FOUND',
      'STORAGE.FULL',
    ],
  })
  async index(@Body(valid(indexRequest)) input: IndexInput, @Res() reply: FastifyReply): Promise<void> {
    scopeOf(reply).slot.becomeStream();
    const answer = await this.documents.run(input, reply);
    await reply.status(answer.pending > 0 ? 202 : 200).send(answer);
  }
}
