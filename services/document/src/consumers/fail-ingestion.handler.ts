import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { IngestionProcess } from '../commands/ingestion-process.js';

/** Topics whose loss leaves an ingestion without its next step. */
const STEPS = new Set<string>([
  catalogue.documentCreated.topic,
  catalogue.documentUpdated.topic,
  catalogue.documentChunked.topic,
  catalogue.chunksEmbedded.topic,
  catalogue.vectorIndexed.topic,
  catalogue.showVersion.topic,
  catalogue.vectorUpdated.topic,
]);

/** Another service gave an event of an ingestion up: the document fails now rather than at its deadline. */
@Controller()
export class FailIngestion {
  constructor(private readonly ingestion: IngestionProcess) {}

  @HandlesEvent(catalogue.errorOccurred, { id: 'document.fail-ingestion' })
  async handle(
    @Payload() { payload }: Message<eventsV1.ErrorOccurred>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { topic, subject, version, code, message } = payload;
    if (!STEPS.has(topic) || version === 0n) return skip('not about an ingestion');
    return delivery.commit(async (tx, publish) => {
      const failed = await this.ingestion.deliver(tx, publish, subject, version, {
        kind: 'step-failed',
        error: { code, message },
      });
      return failed ? undefined : skip('the ingestion has ended');
    });
  }
}
