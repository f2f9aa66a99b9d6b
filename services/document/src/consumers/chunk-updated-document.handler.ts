import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { ChunkDocument, READ_WITHIN_SECONDS } from '../commands/chunk-document.js';

/** Begins the work on a further version, beside the one readers see. */
@Controller()
export class ChunkUpdatedDocument {
  constructor(private readonly chunkDocument: ChunkDocument) {}

  @HandlesEvent(catalogue.documentUpdated, { id: 'document.chunk-updated', deadlineSeconds: READ_WITHIN_SECONDS })
  handle(@Payload() { payload }: Message<eventsV1.DocumentUpdated>, @Ctx() delivery: Delivery): Promise<HandlerResult> {
    return this.chunkDocument.run(payload, delivery);
  }
}
