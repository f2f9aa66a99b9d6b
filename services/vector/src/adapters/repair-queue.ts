import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@ragmesh/observability';
import { Bulkhead } from '@ragmesh/resilience';
import type { DocumentKey } from './document-index.repository.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A store that was away leaves many to repair: they must not take every connection from those who search and write. */
const MAX_AT_ONCE = 4;

/** Repairs documents in the background, a few at a time, each until it succeeds or the process ends; the reconciler finds what is left. */
export class RepairQueue {
  private readonly stopping = new AbortController();
  /** Documents that are being repaired; true: asked for again since the attempt under way began. */
  private readonly asked = new Map<string, boolean>();
  private readonly places = new Bulkhead('repair', { concurrency: MAX_AT_ONCE, queueLimit: Infinity });

  constructor(
    private readonly repair: (document: DocumentKey) => Promise<unknown>,
    private readonly logger: Logger,
  ) {}

  /** However often it is asked for, one repair of a document runs at a time: what asks meanwhile gets one more behind it. */
  soon(document: DocumentKey): void {
    const name = JSON.stringify([document.tenant, document.documentId]);
    const isRunning = this.asked.has(name);
    this.asked.set(name, true);
    if (!isRunning) void this.run(document, name);
  }

  close(): void {
    this.stopping.abort();
  }

  private async run(document: DocumentKey, name: string): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (this.asked.get(name) && !this.stopping.signal.aborted) {
      this.asked.set(name, false);
      try {
        await this.places.run(() => this.repair(document), this.stopping.signal);
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        if (this.stopping.signal.aborted) break;
        this.asked.set(name, true);
        const { documentId } = document;
        this.logger.warn(
          { document_id: documentId, err: error },
          'A document will be brought in line with its rows again',
        );
        await delay(pause, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
    this.asked.delete(name);
  }
}
