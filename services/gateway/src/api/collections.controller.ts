import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { knowledgeV1 } from '@ragmesh/contracts';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { collectionSchema, newCollection } from './collection.schema.js';
import { idSchema, nextCursor, pageOf, pageQuery } from './paging.schema.js';

type CollectionBody = z.input<typeof collectionSchema>;
const collectionPage = pageOf(collectionSchema);
const id = valid(idSchema);

const collectionBody = (collection: knowledgeV1.Collection): CollectionBody => ({
  id: collection.id,
  title: collection.title,
  metadata: collection.metadata ?? {},
  documents: Number(collection.documents),
  chunks: Number(collection.chunks),
  created_at: collection.createdAt ? timestampDate(collection.createdAt).toISOString() : '',
});

/** Collections of documents, which knowledge owns. */
@Controller('v1/collections')
export class CollectionsController {
  constructor(private readonly calls: Calls) {}

  @Post()
  @Describe({
    summary: 'Create a collection',
    tag: 'Collections',
    body: { 'application/json': newCollection },
    example: { id: 'handbook', title: 'Staff handbook' },
    answers: [{ status: 201, description: 'The collection', schema: collectionSchema }],
    problems: ['COLLECTION.ID_TAKEN'],
  })
  async create(@Body(valid(newCollection)) body: z.output<typeof newCollection>): Promise<CollectionBody> {
    return collectionBody(
      await this.calls.knowledge.createCollection({ ...body, id: body.id ?? '' }, this.calls.write()),
    );
  }

  @Get()
  @Describe({
    summary: 'List collections',
    tag: 'Collections',
    query: pageQuery,
    answers: [{ status: 200, description: 'One page', schema: collectionPage }],
    problems: [],
  })
  async list(
    @Query(valid(pageQuery)) query: z.output<typeof pageQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof collectionPage>> {
    const page = await this.calls.knowledge.listCollections(query, this.calls.unary(reply));
    return { data: page.collections.map(collectionBody), next_cursor: nextCursor(page.nextCursor) };
  }

  @Get(':id')
  @Describe({
    summary: 'Get a collection',
    tag: 'Collections',
    answers: [{ status: 200, description: 'The collection', schema: collectionSchema }],
    problems: ['COLLECTION.NOT_FOUND'],
  })
  async get(
    @Param('id', id) collectionId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CollectionBody> {
    return collectionBody(await this.calls.knowledge.getCollection({ id: collectionId }, this.calls.unary(reply)));
  }

  @Delete(':id')
  @HttpCode(204)
  @Describe({
    summary: 'Delete an empty collection',
    tag: 'Collections',
    answers: [{ status: 204, description: 'The collection is gone' }],
    problems: ['COLLECTION.NOT_FOUND', 'COLLECTION.NOT_EMPTY'],
  })
  async delete(@Param('id', id) collectionId: string): Promise<void> {
    await this.calls.knowledge.deleteCollection({ id: collectionId }, this.calls.write());
  }
}
