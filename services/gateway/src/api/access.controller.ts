import { Body, Controller, Param, Put } from '@nestjs/common';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { accessChange, accessMessage } from './access.schema.js';
import { Calls } from './calls.js';
import { collectionBody } from './collection.mapper.js';
import { collectionSchema } from './collection.schema.js';
import { documentBody } from './document.mapper.js';
import { documentSchema } from './document.schema.js';
import { idSchema } from './paging.schema.js';

type AccessChange = z.output<typeof accessChange>;
const body = { 'application/json': accessChange };
const example = { access: ['group:legal', 'jwt:ada@example.com'] };
const id = valid(idSchema);

/** Who may read what. Narrower lists hold at once, wider ones as soon as the index has heard of them. */
@Controller('v1')
export class AccessController {
  constructor(private readonly calls: Calls) {}

  @Put('documents/:id/access')
  @Describe({
    summary: 'Set who may read a document',
    tag: 'Documents',
    body,
    example,
    answers: [{ status: 200, description: 'The document', schema: documentSchema }],
    problems: ['DOCUMENT.NOT_FOUND'],
  })
  async ofDocument(
    @Param('id', id) documentId: string,
    @Body(valid(accessChange)) { access }: AccessChange,
  ): Promise<z.input<typeof documentSchema>> {
    const request = { id: documentId, access: accessMessage(access) };
    return documentBody(await this.calls.documents.setDocumentAccess(request, this.calls.write()));
  }

  @Put('collections/:id/access')
  @Describe({
    summary: 'Set who may read a collection and everything in it',
    tag: 'Collections',
    body,
    example,
    answers: [{ status: 200, description: 'The collection', schema: collectionSchema }],
    problems: ['COLLECTION.NOT_FOUND'],
  })
  async ofCollection(
    @Param('id', id) collectionId: string,
    @Body(valid(accessChange)) { access }: AccessChange,
  ): Promise<z.input<typeof collectionSchema>> {
    const request = { id: collectionId, access: accessMessage(access) };
    return collectionBody(await this.calls.knowledge.setCollectionAccess(request, this.calls.write()));
  }
}
