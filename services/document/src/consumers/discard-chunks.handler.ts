import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { ChunkRepository } from '../adapters/chunk.repository.js';
import { IngestionProcess } from '../commands/ingestion-process.js';

/** Undo of chunking, asked for by the ingestion saga of a version that was called off. */
@Controller()
export class DiscardChunks {
  constructor(
    private readonly chunks: ChunkRepository,
    private readonly ingestion: IngestionProcess,
  ) {}

  @HandlesEvent(catalogue.discardChunks, { id: 'document.discard-chunks' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.DiscardChunks>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { documentId, version } = payload;
    return delivery.commit(async (tx, publish) => {
      // The document's row before those of its version, as a deletion takes them: else each could wait for the other.
      await this.ingestion.deliver(tx, publish, documentId, version, { kind: 'undone', step: 'chunk' });
      await this.chunks.remove(tx, tenant, documentId, version);
      tx.write('UPDATE document_version SET chunks = 0 WHERE tenant = $1 AND document_id = $2 AND version = $3', [
        tenant,
        documentId,
        version,
      ]);
    });
  }
}
