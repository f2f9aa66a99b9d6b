import type { Logger } from '@ragmesh/observability';
import { PeriodicTask } from '@ragmesh/resilience';
import { differingDocuments, documentName } from '../inventory-difference.js';
import type { KnownDocument, RowInventory } from '../row-inventory.js';
import type { VectorStore } from '../vector-store.js';

const RETRY_MS = 30_000;
/** The longest a timer takes. */
const NEVER_MS = 2 ** 31 - 1;
const MAX_FAILURES_IN_A_ROW = 3;

/**
 * Brings a second store in line with the rows, at the start and from time to time: with what was there before it was turned on,
 * and what copies of the service wrote that run without it. The first store may be away meanwhile.
 */
export class SecondStoreUpkeep {
  /** Whether it held everything once since the start. Before, what it finds may be silently thin. */
  isWhole = false;
  private readonly rounds = new PeriodicTask((signal) => this.round(signal), 0);

  /** @param pauseMs between two comparisons; with 0 they end with the first that found the store whole. */
  constructor(
    private readonly store: VectorStore,
    private readonly rows: RowInventory,
    private readonly pauseMs: number,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.rounds.start(0);
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async round(signal: AbortSignal): Promise<number> {
    try {
      const repaired = await this.compare(signal);
      if (signal.aborted) return RETRY_MS;
      if (!this.isWhole || repaired > 0) this.logger.info({ repaired }, 'The second store is in line with its rows');
      this.isWhole = true;
      // Copies of the service that start together do not look together.
      return this.pauseMs === 0 ? NEVER_MS : this.pauseMs * (0.75 + Math.random() / 2);
    } catch (error) {
      this.logger.warn({ err: error }, 'The second store could not be brought in line with its rows and will be again');
      return RETRY_MS;
    }
  }

  /** @returns how many documents differed. @throws the failure of one that could not be repaired, once it looked at the others. */
  private async compare(signal: AbortSignal): Promise<number> {
    const failures: unknown[] = [];
    let [repaired, failuresInARow] = [0, 0];
    for await (const { documents, versions } of this.rows.pages()) {
      const differing = differingDocuments(versions, await this.store.inventory(documents));
      for (const document of documents.filter((one) => differing.has(documentName(one)))) {
        if (signal.aborted) return repaired;
        const failure = await this.repair(document);
        failuresInARow = failure ? failuresInARow + 1 : 0;
        if (failure) failures.push(failure.error);
        if (failuresInARow === MAX_FAILURES_IN_A_ROW) throw failures[0];
        repaired += 1;
      }
    }
    if (failures.length > 0) throw failures[0];
    return repaired;
  }

  private async repair(document: KnownDocument): Promise<{ readonly error: unknown } | undefined> {
    try {
      await this.store.repair(document);
      return undefined;
    } catch (error) {
      return { error };
    }
  }
}
