import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { HandlesEvent, skip, type Delivery, type HandlerResult, type Message } from '@ragmesh/messaging';
import { DocumentRepository } from '../adapters/document.repository.js';
import { IngestionProcess } from '../commands/ingestion-process.js';
import { RetryDocument } from '../commands/retry-document.js';
import { isIngestionStep } from '../sagas/ingestion.saga.js';

/**
 * A dead letter of an ingestion was replayed with success: the document that failed for want of it is ingested after all. The
 * replayed event belongs to an attempt whose points are gone, so the ingestion begins anew as the next attempt, from the text
 * and chunks that are there.
 */
@Controller()
export class ResumeIngestion {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly ingestion: IngestionProcess,
    private readonly retryDocument: RetryDocument,
  ) {}

  /** Several letters of one version start one attempt: it is not failed any more when the second is told of. */
  @HandlesEvent(catalogue.eventReplayed, { id: 'document.resume-ingestion' })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.EventReplayed>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const { service, eventType, subject, version } = payload;
    if (!isIngestionStep(service, eventType) || version === 0n) return skip('not about an ingestion');
    if (await this.ingestion.isBeingUndone(subject, version))
      throw new RagmeshError('DOCUMENT.NOT_READY', 'The attempt that failed is still being undone.', { id: subject });
    return delivery.commit(async (tx, publish) => {
      const document = await this.documents.findLocked(tx, tenant, subject);
      if (document?.status !== 'failed' || BigInt(document.version) !== version)
        return skip('the document does not wait for this');
      if (document.error?.code === 'DOCUMENT.CANCELLED') return skip('the ingestion was called off');
      await this.retryDocument.again(tx, publish, document);
    });
  }
}
