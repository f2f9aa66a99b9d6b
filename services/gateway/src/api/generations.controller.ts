import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { documentV1 } from '@ragmesh/contracts';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { operationLink } from './document.mapper.js';
import {
  acceptedReindex,
  collectionParam,
  generationList,
  generationParam,
  generationSchema,
  reindexRequest,
} from './generations.schema.js';
import { startReindex } from './start-reindex.js';

type Accepted = z.input<typeof acceptedReindex>;
const id = valid(collectionParam);
const number = valid(generationParam);
const generationPath = z.object({ generation: generationParam });

/** The index of a collection made anew beside the one readers see. */
@Controller('v1/collections/:id')
export class GenerationsController {
  constructor(private readonly calls: Calls) {}

  @Post('reindex')
  @HttpCode(202)
  @Describe({
    summary: 'Build the index anew beside the live one',
    tag: 'Collections',
    body: { 'application/json': reindexRequest },
    example: { chunk_size: 256, chunk_overlap: 32 },
    answers: [
      {
        status: 202,
        description: 'Follow the operation; searches change over when it is ready',
        schema: acceptedReindex,
      },
    ],
    problems: ['COLLECTION.NOT_FOUND', 'MODEL.NOT_FOUND', 'REINDEX.RUNNING'],
  })
  async reindex(
    @Param('id', id) collection: string,
    @Body(valid(reindexRequest)) body: z.output<typeof reindexRequest>,
  ): Promise<Accepted> {
    const { chunk_size: chunkSize, chunk_overlap: chunkOverlap, model } = body;
    return accepted(collection, await startReindex(this.calls, { collection, chunkSize, chunkOverlap, model }));
  }

  @Post('reindex/abort')
  @HttpCode(200)
  @Describe({
    summary: 'Call the running reindex off',
    tag: 'Collections',
    answers: [{ status: 200, description: 'What is live stays live', schema: acceptedReindex }],
    problems: ['REINDEX.NOT_RUNNING'],
  })
  async abort(@Param('id', id) collection: string): Promise<Accepted> {
    return accepted(collection, await this.calls.documents.abortReindex({ collection }, this.calls.write()));
  }

  @Get('generations')
  @Describe({
    summary: 'List the generations of the index',
    tag: 'Collections',
    answers: [{ status: 200, description: 'Newest first', schema: generationList }],
    problems: ['COLLECTION.NOT_FOUND'],
  })
  async list(
    @Param('id', id) collection: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof generationList>> {
    const call = this.calls.unary(reply);
    await this.calls.knowledge.getCollection({ id: collection }, call); // the document service knows no empty collections
    const { generations } = await this.calls.documents.listGenerations({ collection }, call);
    return { data: generations.map(generationBody), next_cursor: null };
  }

  @Post('generations/:generation/rollback')
  @HttpCode(202)
  @Describe({
    summary: 'Show a former generation again',
    tag: 'Collections',
    path: generationPath,
    answers: [{ status: 202, description: 'Follow the operation', schema: acceptedReindex }],
    problems: ['REINDEX.NO_SUCH_GENERATION', 'REINDEX.STATE_CONFLICT', 'REINDEX.RUNNING'],
  })
  async rollBack(
    @Param('id', id) collection: string,
    @Param('generation', number) generation: number,
  ): Promise<Accepted> {
    const request = { collection, generation };
    return accepted(collection, await this.calls.documents.rollbackGeneration(request, this.calls.write()));
  }

  @Delete('generations/:generation')
  @HttpCode(204)
  @Describe({
    summary: 'Remove a former generation',
    tag: 'Collections',
    path: generationPath,
    answers: [{ status: 204, description: 'It cannot be shown again' }],
    problems: ['REINDEX.NO_SUCH_GENERATION', 'REINDEX.STATE_CONFLICT', 'REINDEX.RUNNING'],
  })
  async drop(@Param('id', id) collection: string, @Param('generation', number) generation: number): Promise<void> {
    await this.calls.documents.dropGeneration({ collection, generation }, this.calls.write());
  }
}

const accepted = (collection: string, operation: documentV1.Operation): Accepted => ({
  collection,
  generation: Number(operation.version),
  status: operation.status,
  operation: operationLink(operation.id),
});

const time = (at: Timestamp | undefined): string | null => (at ? timestampDate(at).toISOString() : null);

function generationBody(one: documentV1.Generation): z.input<typeof generationSchema> {
  const { chunkSize, chunkOverlap, quality, error } = one;
  return {
    id: one.generation,
    state: one.state as z.input<typeof generationSchema>['state'],
    model: one.model || null,
    chunking: chunkSize === undefined ? null : { size: chunkSize, overlap: chunkOverlap ?? 0 },
    documents: Number(one.documents),
    points: Number(one.points),
    quality: quality
      ? {
          questions: quality.questions,
          overlap: quality.overlap,
          self_retrieval: quality.selfRetrieval,
          live_self_retrieval: quality.liveSelfRetrieval,
        }
      : null,
    error: error ? { code: error.code, message: error.message, help: error.help } : null,
    operation: one.operationId === '' ? null : operationLink(one.operationId),
    created_at: time(one.createdAt),
    drop_at: time(one.dropAt),
  };
}
