import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { catalogue } from '@ragmesh/contracts';
import { gauge, inContext, type Logger } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { PeriodicTask } from '@ragmesh/resilience';
import type { VectorConfig } from '../vector.config.js';
import { differingDocuments, documentName } from './inventory-difference.js';
import type { DocumentPoints } from './point.repository.js';
import { RowInventory, type KnownDocument } from './row-inventory.js';
import { VectorStore, noDrift, type Drift } from './vector-store.js';

/** Readers may see something of it where the rows know it. */
type Suspect = DocumentPoints & Partial<KnownDocument>;

const MAX_FAILURES_IN_A_ROW = 3;

/**
 * Compares the store with the rows, a page of documents at a time, version by version, by number, visibility and hash of
 * the points, and has every document repaired that differs. A difference that is only an event under way disappears when
 * the repair looks again with the document locked; what it then finds is drift.
 */
@Injectable()
export class IndexReconciler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly rounds = new PeriodicTask(() => this.roundAndRest(), 0);
  private running: Promise<Drift> | undefined;
  private isStopping = false;
  private failuresInARow = 0;
  private readonly driftsInARow: Record<keyof Drift, number> = { ...noDrift };
  /** Repaired documents that nobody could be told of, by name: to compare them again finds nothing. */
  private readonly untold = new Map<string, Suspect>();

  constructor(
    private readonly store: VectorStore,
    private readonly rows: RowInventory,
    private readonly outbox: Outbox,
    @Inject(CONFIG) private readonly config: VectorConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The first round comes at once: the store may be new, or have been restored from a backup. */
  onApplicationBootstrap(): void {
    if (this.config.RECONCILE_INTERVAL_SECONDS > 0) this.rounds.start(0);
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    await this.rounds.stop();
    await this.running?.catch(() => undefined); // a round reports its own failure
  }

  /** One round; rounds do not overlap. @returns what was found and put right. */
  reconcile(): Promise<Drift> {
    this.running ??= this.round().finally(() => (this.running = undefined));
    return this.running;
  }

  private async roundAndRest(): Promise<number> {
    try {
      await this.reconcile();
    } catch (error) {
      this.logger.warn({ err: error }, 'The index could not be compared with its rows and will be again');
    }
    // Copies of the service that start together do not look together.
    return this.config.RECONCILE_INTERVAL_SECONDS * 1000 * (0.75 + Math.random() / 2);
  }

  private async round(): Promise<Drift> {
    const counted = { points: 0, visible: 0, held: 0 };
    let drift = noDrift;
    this.failuresInARow = 0;
    for (const document of this.untold.values()) await this.attempt(document, () => this.tell(document));
    for await (const { documents, versions } of this.rows.pages()) {
      if (this.isStopping) return drift;
      const held = await this.store.inventory(documents);
      for (const { points, visible } of versions)
        [counted.points, counted.visible] = [counted.points + points, counted.visible + visible];
      counted.held += held.reduce((all, { points }) => all + points, 0);
      const differing = differingDocuments(versions, held);
      const suspects = documents.filter((document) => differing.has(documentName(document)));
      drift = sum(drift, await this.repair(suspects));
    }
    for await (const documents of this.store.documents(counted.held)) {
      if (this.isStopping) return drift;
      drift = sum(drift, await this.repair(await this.rows.unknown(documents)));
    }
    this.report(drift, counted);
    return drift;
  }

  private async repair(suspects: readonly Suspect[]): Promise<Drift> {
    let drift = noDrift;
    for (const document of suspects) {
      if (this.isStopping) break;
      drift = sum(drift, await this.repairOne(document));
    }
    return drift;
  }

  private async repairOne(document: Suspect): Promise<Drift> {
    let found = noDrift;
    await this.attempt(document, async () => {
      found = await this.store.repair(document);
      if (found.missing + found.extra + found.stale > 0) await this.tell(document);
    });
    return found;
  }

  /** One document that cannot be repaired does not keep the rest from it; a store that is away does. */
  private async attempt(document: Suspect, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.failuresInARow = 0;
    } catch (error) {
      this.failuresInARow += 1;
      if (this.failuresInARow === MAX_FAILURES_IN_A_ROW) throw error;
      const { documentId } = document;
      this.logger.warn(
        { document_id: documentId, err: error },
        'A document could not be brought in line with its rows; the next round tries again',
      );
    }
  }

  /** What was kept of searches may lack what is there again, or show what is gone. Tried again by each round until it succeeds. */
  private async tell(document: Suspect): Promise<void> {
    const { tenant, collection, documentId, visibleVersion: version = null } = document;
    if (version === null) return;
    this.untold.set(documentName(document), document);
    await inContext({ tenant, requestId: randomUUID(), subject: documentId }, () =>
      this.outbox.transaction(async (_tx, { publish }) => {
        publish(catalogue.vectorUpdated, documentId, { documentId, version: BigInt(version), collection });
      }),
    );
    this.untold.delete(documentName(document));
  }

  private report(drift: Drift, { points, visible }: { readonly points: number; readonly visible: number }): void {
    gauge('ragmesh_points').set({ state: 'visible' }, visible);
    gauge('ragmesh_points').set({ state: 'staged' }, points - visible);
    for (const kind of ['missing', 'extra', 'stale'] as const) {
      this.driftsInARow[kind] = drift[kind] > 0 ? this.driftsInARow[kind] + 1 : 0;
      gauge('ragmesh_index_drift_points').set({ kind }, drift[kind]);
      gauge('ragmesh_index_drift_rounds').set({ kind }, this.driftsInARow[kind]);
    }
    if (drift.missing + drift.extra + drift.stale > 0)
      this.logger.warn({ ...drift }, 'The index was brought in line with its rows');
  }
}

const sum = (a: Drift, b: Drift): Drift => ({
  missing: a.missing + b.missing,
  extra: a.extra + b.extra,
  stale: a.stale + b.stale,
});
