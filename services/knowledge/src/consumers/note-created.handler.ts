import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { CatalogueRepository } from '../adapters/catalogue.repository.js';
import { CollectionRepository } from '../adapters/collection.repository.js';

/** A document brings its collection into being. Redelivery is safe: an entry only moves to newer versions. */
@Controller()
export class NoteCreatedDocument {
  constructor(
    private readonly collections: CollectionRepository,
    private readonly entries: CatalogueRepository,
  ) {}

  @HandlesEvent(catalogue.documentCreated, { id: 'knowledge.note-created' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.DocumentCreated>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    return delivery.commit(async (tx) => {
      await this.collections.hold(tx, tenant, payload.collection);
      if (!(await this.entries.noteAccepted(tx, tenant, payload))) return skip('this version or a newer one is known');
    });
  }
}
