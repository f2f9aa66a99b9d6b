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
   * Dead is every version up to the one named, or when none is named every version seen so far. A document created anew
   * under the same id has higher versions: those come in, and a late redelivery leaves them alone. It always answers.
   */
  @HandlesEvent(catalogue.removeDocument, { id: 'vector.remove-document', deadlineSeconds: 60 })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.RemoveDocument>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { documentId } = payload;
    const named = Number(payload.version);
    const range = named > 0 ? { below: named + 1 } : 'all';
    return this.index.following({ tenant, documentId }, (follow) =>
      delivery.commit(async (tx, publish) => {
        const state = await this.documents.lock(tx, { tenant, documentId }, payload.collection);
        const { collection } = state;
        const document = { tenant, documentId, collection };
        const removed = await this.points.remove(tx, document, range);
        const seen = named > 0 ? [] : [state.visibleVersion ?? 0, ...removed.keys()];
        this.documents.bury(tx, document, Math.max(named, state.deadVersion, ...seen));
        follow(collection, (index) => removed.forEach((_points, version) => index.removeVersion(documentId, version)));
        publish(catalogue.vectorDeleted, documentId, {
          documentId,
          version: 0n,
          collection,
          pointsRemoved: BigInt([...removed.values()].reduce((sum, points) => sum + points, 0)),
          remaining: BigInt(await this.points.count(tx, document, range)),
        });
        return ack();
      }),
    );
  }
}
