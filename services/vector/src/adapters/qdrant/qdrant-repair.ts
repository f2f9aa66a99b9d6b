import type { Database, SqlTransaction } from '@ragmesh/postgres';
import type { DocumentIndexRepository, DocumentKey } from '../document-index.repository.js';
import type { GenerationRepository } from '../generation.repository.js';
import type { PointRow } from '../point-row.js';
import type { PointRepository } from '../point.repository.js';
import { batchesOf } from '../stored-batches.js';
import type { Drift } from '../vector-store.js';
import { keepCollection } from './collection-lock.js';
import type { QdrantCollections } from './qdrant-collections.js';
import type { HeldPoint } from './qdrant-point.js';
import type { QdrantPoints } from './qdrant-points.js';

/** What brings a store in line with the rows needs of both. */
export interface QdrantRepairParts {
  readonly database: Database;
  readonly documents: DocumentIndexRepository;
  readonly rows: PointRepository;
  readonly generations: GenerationRepository;
  readonly points: QdrantPoints;
  readonly collections: QdrantCollections;
}

const keyOf = (generation: number, pointId: string): string => `${generation} ${pointId}`;

/** Makes Qdrant's points of a document those of its rows, while the document's row is locked. */
export class QdrantRepair {
  constructor(private readonly parts: QdrantRepairParts) {}

  repair(document: DocumentKey): Promise<Drift> {
    const { database, documents } = this.parts;
    return database.transaction(async (tx) => {
      await documents.hold(tx, document);
      return this.repairIn(tx, document);
    });
  }

  /** @param tx holds the document's row. */
  async repairIn(tx: SqlTransaction, document: DocumentKey): Promise<Drift> {
    const rows = await this.parts.rows.ofDocument(document, tx);
    const held = new Map<string, HeldPoint>();
    for await (const point of this.parts.points.held([document]))
      held.set(keyOf(point.generation, point.pointId), point);
    const missing: PointRow[] = [];
    const stale: PointRow[] = [];
    for (const row of rows) {
      const key = keyOf(row.generation, row.pointId);
      const point = held.get(key);
      held.delete(key);
      if (!point) missing.push(row);
      else if (differs(row, point)) stale.push(row);
    }
    await this.restore(tx, [...missing, ...stale]);
    await this.removeExtra(document, [...held.values()]);
    return { missing: missing.length, extra: held.size, stale: stale.length };
  }

  private async restore(tx: SqlTransaction, rows: readonly PointRow[]): Promise<void> {
    const { points, collections, generations } = this.parts;
    for (const { visible, ...batch } of batchesOf(rows)) {
      generations.keepLive(tx, batch); // until the commit the alias is nobody else's to change
      keepCollection(tx, collections.name(batch));
      const live = await generations.live(batch, tx);
      const name = await points.upsert(batch, visible);
      if (batch.generation === live) await collections.direct(batch, name);
    }
  }

  private async removeExtra(document: DocumentKey, extra: readonly HeldPoint[]): Promise<void> {
    for (const [name, group] of Map.groupBy(extra, ({ holder }) => holder)) {
      const ids = group.map(({ pointId }) => pointId);
      await this.parts.points.removePoints(name, ids, document);
    }
  }
}

const differs = (row: PointRow, point: HeldPoint): boolean =>
  row.hash !== String(point.hash) ||
  row.collection !== point.collection ||
  point.visible !== (row.version === row.visibleVersion) ||
  JSON.stringify(row.access) !== JSON.stringify(point.access);
