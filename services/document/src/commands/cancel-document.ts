import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { currentTenant } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { DocumentRepository } from '../adapters/document.repository.js';
import { IngestionProcess } from './ingestion-process.js';

/** Calls an ingestion off; one that is being undone already is left to that. What readers see already stays; the document can be retried later. */
@Injectable()
export class CancelDocument {
  constructor(
    private readonly outbox: Outbox,
    private readonly documents: DocumentRepository,
    private readonly ingestion: IngestionProcess,
  ) {}

  /** @throws RagmeshError DOCUMENT.NOT_CANCELLABLE when nothing runs, or the version is being shown. */
  async run(id: string): Promise<void> {
    const tenant = currentTenant();
    await this.outbox.transaction(async (tx, { publish }) => {
      const { status, version } = await this.documents.lock(tx, tenant, id);
      const error = { code: 'DOCUMENT.CANCELLED', message: 'The ingestion was cancelled.' };
      const running = status === 'uploaded' || status === 'processing';
      if (running && (await this.ingestion.abort(tx, publish, id, version, { error }))) return;
      if (running && (await this.ingestion.isBeingUndone(id, version, tx))) return;
      const why = running
        ? 'is about to be shown; it is too late to cancel'
        : `is ${status}; there is nothing to cancel`;
      throw new RagmeshError('DOCUMENT.NOT_CANCELLABLE', `Document "${id}" ${why}.`, { id, status });
    });
  }
}
