import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { HandlesEvent, ack, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { DocumentIndexRepository } from '../adapters/document-index.repository.js';
import type { EmbeddedIndex } from '../adapters/embedded-index/embedded-index.js';
import { PointRepository } from '../adapters/point.repository.js';
import { SearchIndex } from '../adapters/search-index.js';

/** Makes a version of a document the one readers see, and removes older ones. */
@Controller()
export class ShowVersion {
  constructor(
    private readonly documents: DocumentIndexRepository,
    private readonly points: PointRepository,
    private readonly index: SearchIndex,
  ) {}

  /** Redelivery is safe: showing the shown version changes nothing, and an older one is passed over. */
  @HandlesEvent(catalogue.showVersion, { id: 'vector.show-version', deadlineSeconds: 60 })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.ShowVersion>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { documentId, expectedPoints } = payload;
    const [version, expected] = [Number(payload.version), Number(expectedPoints)];
    return this.index.following({ tenant, documentId }, (follow) =>
      delivery.commit(async (tx, publish) => {
        const { collection, visibleVersion, deadVersion } = await this.documents.lock(
          tx,
          { tenant, documentId },
          payload.collection,
        );
        if (version <= deadVersion) return skip('the version was deleted');
        if (version < (visibleVersion ?? 0)) return skip('superseded by a newer version');
        const document = { tenant, documentId, collection };
        const actual = await this.points.count(tx, document, { exactly: version });
        if (actual !== expected) throw incomplete({ documentId, version, expected, actual });
        this.documents.show(tx, document, version);
        const removed = await this.points.remove(tx, document, { below: version });
        follow(collection, (index) => flip(index, { documentId, version, points: actual, removed: removed.keys() }));
        publish(catalogue.vectorUpdated, documentId, {
          documentId,
          version: payload.version,
          collection,
          pointsVisible: expectedPoints,
          pointsRemoved: BigInt([...removed.values()].reduce((sum, points) => sum + points, 0)),
        });
        return ack();
      }),
    );
  }
}

interface Flip {
  readonly documentId: string;
  readonly version: number;
  readonly points: number;
  readonly removed: Iterable<number>;
}

/** Readers change over in one tick, and never to a part. */
function flip(index: EmbeddedIndex, { documentId, version, points, removed }: Flip): void {
  if (index.count({ documentId, version }) !== points) {
    throw new RagmeshError('VECTOR.UNAVAILABLE', 'The index in memory lacks points of the version to show.', {
      documentId,
      version,
    });
  }
  index.showVersion(documentId, version);
  for (const older of removed) index.removeVersion(documentId, older);
}

function incomplete(details: { documentId: string; version: number; expected: number; actual: number }): RagmeshError {
  const message = `The version has ${details.actual} points instead of ${details.expected}; readers keep what they see.`;
  return new RagmeshError('EVENT.INVALID', message, details);
}
