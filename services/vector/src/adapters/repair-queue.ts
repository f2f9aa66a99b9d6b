import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@ragmesh/observability';
import type { DocumentKey } from './document-index.repository.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** Repairs documents in the background, each until it succeeds or the process ends; the reconciler finds what is left. */
export class RepairQueue {
  private readonly stopping = new AbortController();

  constructor(
    private readonly repair: (document: DocumentKey) => Promise<unknown>,
    private readonly logger: Logger,
  ) {}

  soon(document: DocumentKey): void {
    void (async () => {
      for (let pause = FIRST_PAUSE_MS; !this.stopping.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
        try {
          await this.repair(document);
          return;
        } catch (error) {
          const { documentId } = document;
          this.logger.warn(
            { document_id: documentId, err: error },
            'A document will be brought in line with its rows again',
          );
          await delay(pause, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
        }
      }
    })();
  }

  close(): void {
    this.stopping.abort();
  }
}
