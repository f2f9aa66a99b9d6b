import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, ack, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { DocumentIndexRepository } from '../adapters/document-index.repository.js';
import { PointRepository } from '../adapters/point.repository.js';
import { SearchIndex } from '../adapters/search-index.js';

/** Undoes a version. It is dead afterwards, so that chunks of it that are still under way change nothing. */
@Controller()
export class RemoveVersion {
  constructor(
    private readonly documents: DocumentIndexRepository,
    private readonly points: PointRepository,
    private readonly index: SearchIndex,
  ) {}

  /** Redelivery is safe: what is gone is removed again, with a count of nothing. It always answers. */
  @HandlesEvent(catalogue.removeVersion, { id: 'vector.remove-version', deadlineSeconds: 60 })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.RemoveVersion>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { documentId } = payload;
    const version = Number(payload.version);
    return this.index.following({ tenant, documentId }, (follow) =>
      delivery.commit(async (tx, publish) => {
        const { collection, visibleVersion } = await this.documents.lock(
          tx,
          { tenant, documentId },
          payload.collection,
        );
        const document = { tenant, documentId, collection };
        if (visibleVersion === version) this.documents.show(tx, document, null);
        this.documents.kill(tx, document, version);
        const removed = await this.points.remove(tx, document, { exactly: version });
        follow(collection, (index) => void index.removeVersion(documentId, version));
        publish(catalogue.vectorDeleted, documentId, {
          documentId,
          version: payload.version,
          collection,
          pointsRemoved: BigInt(removed.get(version) ?? 0),
          remaining: BigInt(await this.points.count(tx, document, { exactly: version })),
        });
        return ack();
      }),
    );
  }
}
