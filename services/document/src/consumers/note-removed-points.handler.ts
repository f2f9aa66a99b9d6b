import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { HandlesEvent, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { DeleteDocument } from '../commands/delete-document.js';
import { IngestionProcess } from '../commands/ingestion-process.js';

/** Points are gone: one version's, as an undo the ingestion asked for, or all of them, for a deletion. */
@Controller()
export class NoteRemovedPoints {
  constructor(
    private readonly ingestion: IngestionProcess,
    private readonly deletion: DeleteDocument,
  ) {}

  @HandlesEvent(catalogue.vectorDeleted, { id: 'document.note-removed-points' })
  async handle(
    @Payload() { payload }: Message<eventsV1.VectorDeleted>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { documentId, version, pointsRemoved, remaining, deadVersion } = payload;
    if (remaining > 0n)
      throw new RagmeshError('VECTOR.UNAVAILABLE', `${remaining} points of a removed document are left.`);
    if (version > 0n) {
      return delivery.commit(async (tx, publish) => {
        await this.ingestion.pointsRemoved(tx, publish, documentId, version);
      });
    }
    const removed = { upTo: Number(deadVersion), points: Number(pointsRemoved) };
    await this.deletion.removeBlobs(documentId, removed);
    return delivery.commit((tx, publish) => this.deletion.finish(tx, publish, documentId, removed));
  }
}
