import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, ack, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { DocumentIndexRepository } from '../adapters/document-index.repository.js';
import { PointRepository } from '../adapters/point.repository.js';
import { SearchIndex } from '../adapters/search-index.js';

/** Deletes a document: its tombstone and the removal of its points are one commit, so nothing late comes in between. */
@Controller()
export class RemoveDocument {
  constructor(
    private readonly documents: DocumentIndexRepository,
    private readonly points: PointRepository,
    private readonly index: SearchIndex,
  ) {}

  /**
   * Every version up to the one named is dead, and every version this service has seen when none is named; a document
   * created anew under the same id has higher ones and comes in. Redelivery is safe: a version above the dead ones is kept.
   */
  @HandlesEvent(catalogue.removeDocument, { id: 'vector.remove-document', deadlineSeconds: 60 })
  async handle(@Payload() { payload, tenant }: Message<eventsV1.RemoveDocument>, @Ctx() delivery: Delivery): Promise<HandlerResult> {
    const { documentId } = payload;
    return this.index.following({ tenant, documentId }, (follow) =>
      delivery.commit(async (tx, publish) => {
        const { collection, visibleVersion, deadVersion } = await this.documents.lock(tx, { tenant, documentId }, payload.collection);
        const document = { tenant, documentId, collection };
        const removed = await this.points.remove(tx, document, 'all');
        await this.documents.bury(tx, document, Math.max(Number(payload.version), visibleVersion ?? 0, deadVersion, ...removed.keys()));
        follow(collection, (index) => void index.removeDocument(documentId));
        publish(catalogue.vectorDeleted, documentId, {
          documentId, version: 0n, collection,
          pointsRemoved: BigInt([...removed.values()].reduce((sum, points) => sum + points, 0)),
          remaining: BigInt(await this.points.count(tx, document, 'all')),
        });
        return ack();
      }),
    );
  }
}
