import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { IngestionProcess } from '../commands/ingestion-process.js';
import { QueuePatience } from '../sagas/queue-patience.js';

/** Tells the saga that a batch is indexed. Batches are counted by number, so a repetition counts once. */
@Controller()
export class CountIndexedBatch {
  constructor(
    private readonly ingestion: IngestionProcess,
    private readonly patience: QueuePatience,
  ) {}

  @HandlesEvent(catalogue.vectorIndexed, { id: 'document.count-indexed-batch' })
  async handle(
    @Payload() { payload }: Message<eventsV1.VectorIndexed>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    this.patience.noteIndexed();
    return delivery.commit(async (tx, publish) => {
      const counted = await this.ingestion.batchIndexed(tx, publish, payload);
      return counted ? undefined : skip('the ingestion no longer waits for this batch');
    });
  }
}
