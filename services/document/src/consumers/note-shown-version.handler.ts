import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { IngestionProcess } from '../commands/ingestion-process.js';

/** Readers see the version: the ingestion is complete and the document ready. */
@Controller()
export class NoteShownVersion {
  constructor(private readonly ingestion: IngestionProcess) {}

  @HandlesEvent(catalogue.vectorUpdated, { id: 'document.note-shown-version' })
  async handle(
    @Payload() { payload }: Message<eventsV1.VectorUpdated>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    return delivery.commit(async (tx, publish) => {
      const done = await this.ingestion.deliver(tx, publish, payload.documentId, payload.version, {
        kind: 'step-done',
        step: 'show',
      });
      return done ? undefined : skip('the ingestion no longer waits for this version');
    });
  }
}
