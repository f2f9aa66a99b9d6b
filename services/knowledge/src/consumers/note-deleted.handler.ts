import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { CatalogueRepository } from '../adapters/catalogue.repository.js';

/** A document is gone: its entry becomes a tombstone, also when no other event of it has come yet. */
@Controller()
export class NoteDeletedDocument {
  constructor(private readonly entries: CatalogueRepository) {}

  @HandlesEvent(catalogue.documentDeleted, { id: 'knowledge.note-deleted' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.DocumentDeleted>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    return delivery.commit(async (tx) => {
      if (!(await this.entries.noteDeleted(tx, tenant, payload))) return skip('a newer version is known');
    });
  }
}
