import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { CollectionAccess } from '../adapters/collection-access.repository.js';

/** Who may read a collection changed. Redelivery is safe: a list replaces those of lower revisions and itself. */
@Controller()
export class NoteCollectionAccess {
  constructor(private readonly collections: CollectionAccess) {}

  @HandlesEvent(catalogue.accessChanged, { id: 'document.note-collection-access' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.AccessChanged>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { collection, documentId, access } = payload;
    if (documentId !== '' || !access) return skip('the list is of a document');
    const list = { access: access.restricted ? access.principals : null, revision: Number(access.revision) };
    return delivery.commit(async (tx) => {
      await this.collections.set(tenant, collection, list, tx);
    });
  }
}
