import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { collectionBody, settingsOf } from './collection.mapper.js';
import { collectionChange, collectionSchema, newCollection } from './collection.schema.js';
import { idSchema, nextCursor, pageOf, pageQuery } from './paging.schema.js';

type CollectionBody = z.input<typeof collectionSchema>;
const collectionPage = pageOf(collectionSchema);
const id = valid(idSchema);

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

  @Patch(':id')
  @Describe({
    summary: 'Change a collection and its defaults',
    tag: 'Collections',
    body: { 'application/json': collectionChange },
    example: { defaults: { mode: 'hybrid', top_k: 5 }, chunking: { size: 200, overlap: 20 } },
    answers: [
      {
        status: 200,
        description:
          'The collection; searches take new defaults up within 10 s, the first one after a pause within 20 s',
        schema: collectionSchema,
      },
    ],
    problems: ['COLLECTION.NOT_FOUND'],
  })
  async update(
    @Param('id', id) collectionId: string,
    @Body(valid(collectionChange)) change: z.output<typeof collectionChange>,
  ): Promise<CollectionBody> {
    const { title, metadata } = change;
    const request = {
      id: collectionId,
      ...(title === undefined ? {} : { title }),
      ...(metadata === undefined ? {} : { metadata }),
      ...settingsOf(change),
    };
    return collectionBody(await this.calls.knowledge.updateCollection(request, this.calls.write()));
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
