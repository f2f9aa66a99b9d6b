import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { IngestionProcess } from '../commands/ingestion-process.js';
import { failureInput, isOfIngestion } from '../sagas/ingestion.saga.js';

/**
 * A service gave an event of an ingestion up: the document fails now rather than at its deadline, and an undo that failed is
 * known to have.
 */
@Controller()
export class FailIngestion {
  constructor(private readonly ingestion: IngestionProcess) {}

  @HandlesEvent(catalogue.errorOccurred, { id: 'document.fail-ingestion' })
  async handle(
    @Payload() { payload }: Message<eventsV1.ErrorOccurred>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { service, topic, subject, version, code, message } = payload;
    if (!isOfIngestion(service, topic, version)) return skip('not about an ingestion');
    return delivery.commit(async (tx, publish) => {
      const error = { code, message };
      const failed = await this.ingestion.deliver(tx, publish, subject, version, (state) =>
        failureInput(state, topic, error),
      );
      return failed ? undefined : skip('the ingestion no longer waits for this');
    });
  }
}
