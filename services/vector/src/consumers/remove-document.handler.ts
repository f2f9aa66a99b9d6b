import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, ack, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { Database } from '@ragmesh/postgres';
import { DocumentIndexRepository, type DocumentKey } from '../adapters/document-index.repository.js';
import { PointRepository } from '../adapters/point.repository.js';
import { VectorStore } from '../adapters/vector-store.js';

/** Deletes a document: first its tombstone, so that nothing late comes in and nobody sees it, then its points. */
@Controller()
export class RemoveDocument {
  constructor(
    private readonly database: Database,
    private readonly documents: DocumentIndexRepository,
    private readonly points: PointRepository,
    private readonly store: VectorStore,
  ) {}

  /**
   * Dead is every version up to the one named, or when none is named every version seen so far. A document created anew
   * under the same id has higher versions: those come in, and a late redelivery leaves them alone, whichever of them was
   * undone meanwhile. It always answers, with what the rows and the store have left.
   */
  @HandlesEvent(catalogue.removeDocument, { id: 'vector.remove-document', deadlineSeconds: 60 })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.RemoveDocument>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const document = { tenant, documentId: payload.documentId };
    const deadVersion = await this.bury(document, payload.collection, Number(payload.version));
    const range = { below: deadVersion + 1 };
    return this.store.following(document, (changes) =>
      delivery.commit(async (tx, publish) => {
        const { collection } = await this.documents.lock(tx, document, payload.collection);
        const place = { ...document, collection };
        const removed = await this.points.remove(tx, place, range);
        const inStore = await changes.remove(tx, place, range);
        const inRows = await this.points.count(tx, place, range);
        publish(catalogue.vectorDeleted, payload.documentId, {
          documentId: payload.documentId,
          version: 0n,
          collection,
          pointsRemoved: BigInt([...removed.values()].reduce((sum, points) => sum + points, 0)),
          remaining: BigInt(Math.max(inRows, inStore)),
          deadVersion: BigInt(deadVersion),
        });
        return ack();
      }),
    );
  }

  /** A transaction of its own: a store that takes no part in transactions may lose points only after it. */
  private async bury(document: DocumentKey, asked: string, named: number): Promise<number> {
    let dead = named;
    await this.store.following(document, (changes) =>
      this.database.transaction(async (tx) => {
        const { collection, visibleVersion, deadVersion } = await this.documents.lock(tx, document, asked);
        const place = { ...document, collection };
        if (named === 0) dead = Math.max(deadVersion, visibleVersion ?? 0, await this.points.newestVersion(tx, place));
        this.documents.bury(tx, document, dead);
        if (visibleVersion !== null && visibleVersion <= dead) changes.hide(tx, place);
        return ack();
      }),
    );
    return dead;
  }
}
