import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { CatalogueRepository } from '../adapters/catalogue.repository.js';
import { CollectionRepository } from '../adapters/collection.repository.js';

/** Readers see another generation of a collection: the catalogue counts the chunks of that one. */
@Controller()
export class NoteRecutDocuments {
  constructor(
    private readonly collections: CollectionRepository,
    private readonly entries: CatalogueRepository,
  ) {}

  @HandlesEvent(catalogue.collectionRecut, { id: 'knowledge.note-recut' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.CollectionRecut>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    return delivery.commit(async (tx) => {
      await this.collections.hold(tx, tenant, payload.collection);
      if (!(await this.entries.noteRecut(tx, tenant, payload)))
        return skip('newer versions, newer cuts or the deletions are known');
    });
  }
}
