import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { CatalogueRepository } from '../adapters/catalogue.repository.js';
import { CollectionRepository } from '../adapters/collection.repository.js';

/** Readers see a version: the catalogue counts it. Redelivery is safe: an entry only moves to newer versions. */
@Controller()
export class NoteReadyDocument {
  constructor(
    private readonly collections: CollectionRepository,
    private readonly entries: CatalogueRepository,
  ) {}

  @HandlesEvent(catalogue.documentReady, { id: 'knowledge.note-ready' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.DocumentReady>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    return delivery.commit(async (tx) => {
      await this.collections.hold(tx, tenant, payload.collection);
      if (!(await this.entries.noteReady(tx, tenant, payload))) return skip('a newer version or the deletion is known');
    });
  }
}
