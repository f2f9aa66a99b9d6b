import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { IngestionProcess } from '../commands/ingestion-process.js';
import { ReindexProcess } from '../commands/reindex-process.js';
import { failureInput, isOfIngestion } from '../sagas/ingestion.saga.js';

/**
 * A service gave an event of an ingestion up: the document fails now rather than at its deadline, and an undo that failed is
 * known to have. What was for a generation of the index that the ingestion does not wait for fails no document; a reindex that
 * waits for it is told.
 */
@Controller()
export class FailIngestion {
  constructor(
    private readonly ingestion: IngestionProcess,
    private readonly reindex: ReindexProcess,
  ) {}

  @HandlesEvent(catalogue.errorOccurred, { id: 'document.fail-ingestion' })
  async handle(
    @Payload() { payload }: Message<eventsV1.ErrorOccurred>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { service, topic, subject, version, code, message, generation } = payload;
    if (!isOfIngestion(service, topic, version)) return skip('not about an ingestion');
    const error = { code, message };
    // On its own, as it locks the reindex, and whoever sends documents for one locks these after it.
    if (generation !== undefined) await this.reindex.noteFailure(subject, generation, error);
    return delivery.commit(async (tx, publish) => {
      const failed = await this.ingestion.deliver(tx, publish, subject, version, (state) =>
        failureInput(state, { topic, generation, error }),
      );
      return failed ? undefined : skip('the ingestion no longer waits for this');
    });
  }
}
