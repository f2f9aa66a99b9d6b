import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { ChunkDocument, READ_WITHIN_SECONDS } from '../commands/chunk-document.js';

/** Begins the work on a new document. Safe to repeat: chunks are replaced, events carry their version. */
@Controller()
export class ChunkCreatedDocument {
  constructor(private readonly chunkDocument: ChunkDocument) {}

  @HandlesEvent(catalogue.documentCreated, { id: 'document.chunk-created', deadlineSeconds: READ_WITHIN_SECONDS })
  handle(@Payload() { payload }: Message<eventsV1.DocumentCreated>, @Ctx() delivery: Delivery): Promise<HandlerResult> {
    return this.chunkDocument.run(payload, delivery);
  }
}
