import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, ack, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { Database } from '@ragmesh/postgres';
import { DocumentIndexRepository, type DocumentKey } from '../adapters/document-index.repository.js';
import { PointRepository } from '../adapters/point.repository.js';
import { VectorStore } from '../adapters/vector-store.js';

/**
 * Undoes a version. It is dead from the beginning, so that chunks of it that are still under way change nothing. The one readers see
 * is left alone: it has replaced the one before, so without it they would find nothing.
 */
@Controller()
export class RemoveVersion {
  constructor(
    private readonly database: Database,
    private readonly documents: DocumentIndexRepository,
    private readonly points: PointRepository,
    private readonly store: VectorStore,
  ) {}

  /** Redelivery is safe: what is gone is removed again, with a count of nothing. It always answers, also that readers see it. */
  @HandlesEvent(catalogue.removeVersion, { id: 'vector.remove-version', deadlineSeconds: 60 })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.RemoveVersion>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { documentId } = payload;
    const version = Number(payload.version);
    const document = { tenant, documentId };
    await this.kill(document, payload.collection, version);
    return this.store.following(document, (changes) =>
      delivery.commit(async (tx, publish) => {
        const { collection, visibleVersion } = await this.documents.lock(tx, document, payload.collection);
        // Looked at here and not before: until now another copy of the command that shows it may have come first.
        if (visibleVersion === version) {
          publish(catalogue.vectorUpdated, documentId, { documentId, version: payload.version, collection });
          return ack();
        }
        const place = { ...document, collection };
        const removed = await this.points.remove(tx, place, { exactly: version });
        const inStore = await changes.remove(tx, place, { exactly: version });
        const inRows = await this.points.count(tx, place, { exactly: version });
        publish(catalogue.vectorDeleted, documentId, {
          documentId,
          version: payload.version,
          collection,
          pointsRemoved: BigInt(removed.get(version) ?? 0),
          remaining: BigInt(Math.max(inRows, inStore)),
        });
        return ack();
      }),
    );
  }

  /** A transaction of its own: a store that takes no part in transactions may lose points only after it. */
  private async kill(document: DocumentKey, asked: string, version: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      await this.documents.lock(tx, document, asked);
      this.documents.kill(tx, document, version);
    });
  }
}
