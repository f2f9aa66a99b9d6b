import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { catalogue } from '@ragmesh/contracts';
import { gauge, inContext, type Logger } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { VectorConfig } from '../vector.config.js';
import type { DocumentKey } from './document-index.repository.js';
import { PointRepository } from './point.repository.js';
import { VectorStore, noDrift, type Drift, type VersionInventory } from './vector-store.js';

const nameOf = ({ tenant, collection, documentId, version, generation }: VersionInventory): string =>
  JSON.stringify([tenant, collection, documentId, version, generation]);

const isSame = (row: VersionInventory, held: VersionInventory): boolean =>
  row.points === held.points && row.visible === held.visible && (held.hash === undefined || held.hash === row.hash);

/**
 * Compares the store with the rows, version by version, by number, visibility and hash of the points, and has every
 * document repaired that differs. A difference that is only an event under way disappears when the repair looks again
 * with the document locked; what it then finds is drift.
 */
@Injectable()
export class IndexReconciler implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<Drift> | undefined;
  private isStopping = false;

  constructor(
    private readonly store: VectorStore,
    private readonly rows: PointRepository,
    private readonly outbox: Outbox,
    @Inject(CONFIG) private readonly config: VectorConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The first round comes at once: the store may be new, or have been restored from a backup. */
  onApplicationBootstrap(): void {
    if (this.config.RECONCILE_INTERVAL_SECONDS > 0) void this.roundAndNext();
  }

  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.running?.catch(() => undefined); // a round reports its own failure
  }

  /** One round; rounds do not overlap. @returns what was found and put right. */
  reconcile(): Promise<Drift> {
    this.running ??= this.round().finally(() => (this.running = undefined));
    return this.running;
  }

  private schedule(): void {
    if (this.isStopping) return;
    // Copies of the service that start together do not look together.
    const pause = this.config.RECONCILE_INTERVAL_SECONDS * 1000 * (0.75 + Math.random() / 2);
    this.timer = setTimeout(() => void this.roundAndNext(), pause).unref();
  }

  private async roundAndNext(): Promise<void> {
    try {
      await this.reconcile();
    } catch (error) {
      this.logger.warn({ err: error }, 'The index could not be compared with its rows and will be again');
    }
    this.schedule();
  }

  private async round(): Promise<Drift> {
    let drift = noDrift;
    for (const document of (await this.suspects()).values()) {
      if (this.isStopping) break;
      const found = await this.store.repair(document);
      drift = sum(drift, found);
      if (found.missing + found.extra + found.stale > 0) await this.tell(document);
    }
    for (const kind of ['missing', 'extra', 'stale'] as const) {
      gauge('ragmesh_index_drift_points').set({ kind }, drift[kind]);
    }
    if (drift.missing + drift.extra + drift.stale > 0)
      this.logger.warn({ ...drift }, 'The index was brought in line with its rows');
    return drift;
  }

  /** What was kept of searches may lack what is there again, or show what is gone. */
  private async tell({ tenant, documentId }: DocumentKey): Promise<void> {
    await inContext({ tenant, requestId: randomUUID(), subject: documentId }, async () => {
      const [row] = await this.rows.ofDocument({ tenant, documentId });
      if (!row || row.visibleVersion === null) return;
      const { collection, visibleVersion: version } = row;
      await this.outbox.transaction(async (_tx, { publish }) => {
        publish(catalogue.vectorUpdated, documentId, { documentId, version: BigInt(version), collection });
      });
    });
  }

  private async suspects(): Promise<Map<string, DocumentKey>> {
    const rows = new Map<string, VersionInventory>();
    let [points, visible] = [0, 0];
    for await (const version of this.rows.inventory()) {
      rows.set(nameOf(version), version);
      points += version.points;
      visible += version.visible;
    }
    gauge('ragmesh_points').set({ state: 'visible' }, visible);
    gauge('ragmesh_points').set({ state: 'staged' }, points - visible);
    const suspects = new Map<string, DocumentKey>();
    const suspect = ({ tenant, documentId }: DocumentKey): void =>
      void suspects.set(JSON.stringify([tenant, documentId]), { tenant, documentId });
    for await (const held of this.store.inventory()) {
      const row = rows.get(nameOf(held));
      if (row && isSame(row, held)) rows.delete(nameOf(held));
      else suspect(held);
    }
    for (const missing of rows.values()) suspect(missing);
    return suspects;
  }
}

const sum = (a: Drift, b: Drift): Drift => ({
  missing: a.missing + b.missing,
  extra: a.extra + b.extra,
  stale: a.stale + b.stale,
});
