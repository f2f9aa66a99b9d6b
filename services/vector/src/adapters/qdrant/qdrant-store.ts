import type { HandlerResult } from '@ragmesh/messaging';
import type { AccessList, Logger } from '@ragmesh/observability';
import type { Database, SqlTransaction } from '@ragmesh/postgres';
import type { DocumentKey } from '../document-index.repository.js';
import { DocumentTurns } from '../document-turns.js';
import type { HybridHits, IndexedChunk, SearchHit } from '../embedded-index/indexed-point.js';
import { InventoryCount } from '../inventory-count.js';
import { documentName } from '../inventory-difference.js';
import { pagesOf } from '../pages-of.js';
import type { DocumentPoints, PointBatch, VersionRange } from '../point.repository.js';
import { RepairQueue } from '../repair-queue.js';
import type { ShownStamps } from '../shown-stamps.js';
import {
  VectorStore,
  type ChunkPlace,
  type DocumentHit,
  type Drift,
  type Principals,
  type Question,
  type Scope,
  type SearchOptions,
  type ShownVersion,
  type StoreChanges,
  type VersionInventory,
} from '../vector-store.js';
import type { VisibleRows } from '../visible-rows.js';
import { claimCollection, keepCollection } from './collection-lock.js';
import type { QdrantConnection } from './qdrant-connection.js';
import { QdrantRepair, type QdrantRepairParts } from './qdrant-repair.js';
import { QdrantSearch } from './qdrant-search.js';

/** What the store works with. */
export interface QdrantStoreParts extends QdrantRepairParts {
  readonly connection: QdrantConnection;
  readonly visible: VisibleRows;
  readonly shown: ShownStamps;
  readonly logger: Logger;
}

const PAGE_POINTS = 1_000;

/**
 * Points in Qdrant. Its writes and the commit of the rows are not one transaction, so their order makes up for it: points
 * are there, staged, before the rows that count them; tombstones are committed before points go. What a crash leaves in
 * between is never seen, as searches return what the rows confirm, and is put right by redelivery or repair.
 */
export class QdrantStore extends VectorStore {
  private readonly turns = new DocumentTurns();
  private readonly search: QdrantSearch;
  private readonly repairs: RepairQueue;
  private readonly repairing: QdrantRepair;

  constructor(private readonly parts: QdrantStoreParts) {
    super();
    this.search = new QdrantSearch(parts.points, parts.visible, parts.logger);
    this.repairing = new QdrantRepair(parts);
    this.repairs = new RepairQueue((document) => this.repair(document), parts.logger);
  }

  onModuleDestroy(): void {
    this.repairs.close();
    this.parts.connection.close();
  }

  searchDense(scope: Scope, vector: Float32Array, options: SearchOptions): Promise<SearchHit[]> {
    return this.search.dense(scope, vector, options);
  }

  searchLexical(scope: Scope, query: string, options: SearchOptions): Promise<SearchHit[]> {
    return this.search.lexical(scope, query, options);
  }

  searchHybrid(scope: Scope, vector: Float32Array, query: string, options: SearchOptions): Promise<HybridHits> {
    return this.search.hybrid(scope, vector, query, options);
  }

  points(scope: Scope, pointIds: readonly string[], principals: Principals = []): Promise<IndexedChunk[]> {
    return this.search.chunks(scope, pointIds, principals);
  }

  neighbours(scope: Scope, place: ChunkPlace, principals: Principals = []): Promise<IndexedChunk[]> {
    return this.parts.visible.neighbours(scope, place, principals);
  }

  following(document: DocumentKey, commit: (changes: StoreChanges) => Promise<HandlerResult>): Promise<HandlerResult> {
    return this.turns.run(documentName(document), async () => {
      const changes = new QdrantChanges(this.parts, this.repairing);
      try {
        const result = await commit(changes);
        // The commit stands whatever becomes of this.
        await changes.clear().catch(() => this.repairs.soon(document));
        return result;
      } catch (error) {
        if (changes.happened) this.repairs.soon(document);
        throw error;
      }
    });
  }

  shownStamp(scope: Scope): Promise<string> {
    return this.parts.shown.of(scope);
  }

  liveGeneration(scope: Scope): Promise<number> {
    return this.parts.generations.live(scope);
  }

  count(document: DocumentPoints, version: number): Promise<number> {
    return this.parts.points.count(document, version === 0 ? 'all' : { exactly: version });
  }

  async cutOver(
    scope: Scope,
    generation: number,
    run: Database['transaction'] = (work) => this.parts.database.transaction(work),
  ): Promise<void> {
    const { collections, points, generations, shown } = this.parts;
    const name = await points.holder(scope, generation);
    let isBegun = false;
    try {
      await run(async (tx) => {
        await generations.show(tx, scope, generation, name === undefined);
        shown.change(tx, scope);
        isBegun = true;
        await collections.redirect(scope, name);
      });
    } catch (error) {
      // Whoever asked asks again or drops the generation: both see to it, too.
      if (isBegun) await this.followLive(scope).catch(() => undefined);
      throw error;
    }
  }

  /** Nobody else changes readers over meanwhile, nor stages what the alias is to find. */
  async followLive(scope: Scope): Promise<void> {
    const { collections, database, points, generations } = this.parts;
    await database.transaction(async (tx) => {
      await generations.keepVersions(tx, scope);
      await collections.redirect(scope, await points.holder(scope, await generations.live(scope, tx)));
    });
  }

  /** In whichever collection of Qdrant has points of it. */
  async searchIn(scope: Scope, generation: number, question: Question): Promise<readonly DocumentHit[]> {
    const name = await this.parts.points.holder(scope, generation);
    return name === undefined ? [] : this.search.hybridIn(scope, name, question);
  }

  async drop(scope: Scope, generation: number): Promise<void> {
    const { collections, points, generations } = this.parts;
    const holders: string[] = [];
    for await (const name of points.holders(scope, generation)) holders.push(name);
    // Points follow their rows page by page: else they would be found to differ from them all the while.
    await generations.remove(scope, generation, async (pointIds) => {
      for (const name of holders) await points.removePoints(name, pointIds, scope);
    });
    await this.followLive(scope);
    for (const { name, space } of await collections.existing()) {
      if (space.generation !== generation) continue;
      await points.removeCollection(scope, name);
      if ((await points.size(name)) === 0) await this.dropEmpty(name);
    }
  }

  /** Generations of all tenants share Qdrant's collections: no points come in between the count and the end. */
  private dropEmpty(name: string): Promise<void> {
    const { collections, database, points } = this.parts;
    return database.transaction(async (tx) => {
      await claimCollection(tx, name);
      if ((await points.size(name)) === 0) await collections.drop(name);
    });
  }

  async inventory(documents: readonly DocumentPoints[]): Promise<VersionInventory[]> {
    const counts = new InventoryCount();
    const asked = new Set(documents.map(documentName));
    for await (const point of this.parts.points.held(documents)) if (asked.has(documentName(point))) counts.add(point);
    return [...counts.versions()];
  }

  /** Counting costs the server little; only where there are too many points, all of them are walked. */
  async *documents(counted: number): AsyncGenerator<DocumentPoints[]> {
    const { points } = this.parts;
    if ((await points.total()) > counted) yield* pagesOf(points.held(), PAGE_POINTS);
  }

  repair(document: DocumentKey): Promise<Drift> {
    return this.turns.run(documentName(document), () => this.repairing.repair(document));
  }
}

/** The changes of one transaction. */
class QdrantChanges implements StoreChanges {
  happened = false;
  private superseded: { document: DocumentPoints; versions: VersionRange } | undefined;

  constructor(
    private readonly parts: QdrantStoreParts,
    private readonly repairing: QdrantRepair,
  ) {}

  async stage(tx: SqlTransaction, batch: PointBatch): Promise<void> {
    this.happened = true;
    const { points, generations, collections, documents } = this.parts;
    // Until the commit no other generation is shown: else the alias would be taken back from it.
    generations.keepLive(tx, batch);
    keepCollection(tx, collections.name(batch));
    const isLive = batch.generation === (await generations.live(batch, tx));
    // What another generation is made of is visible when it is shown; here it is not until its version is.
    const visible = !isLive && batch.version === (await documents.visibleVersion(tx, batch));
    const name = await points.upsert(batch, visible);
    if (isLive) await collections.direct(batch, name);
  }

  /** Before the commit, as the rows alone decide: tags only spare searches from finding what these refuse. */
  async tag(_tx: SqlTransaction, document: DocumentPoints, access: AccessList): Promise<void> {
    this.happened = true;
    await this.parts.points.tag(document, access);
  }

  /** The rows hide it. */
  hide(tx: SqlTransaction, document: DocumentPoints): void {
    this.happened = true;
    this.parts.shown.change(tx, document);
  }

  /** What the server lost since it was staged, points or the alias, is made again of the rows. */
  async show(tx: SqlTransaction, shown: ShownVersion): Promise<void> {
    this.happened = true;
    const { points, collections } = this.parts;
    if ((await points.countLive(shown, shown.version)) !== shown.points) {
      collections.forget();
      await this.repairing.repairIn(tx, shown);
      await collections.direct(shown, await points.holder(shown, shown.generation));
    }
    await points.show(shown, shown.version);
    this.parts.shown.change(tx, shown);
    this.superseded = shown.older.length > 0 ? { document: shown, versions: { below: shown.version } } : undefined;
  }

  async remove(_tx: SqlTransaction, document: DocumentPoints, versions: VersionRange): Promise<number> {
    this.happened = true;
    await this.parts.points.remove(document, versions);
    return this.parts.points.count(document, versions);
  }

  /** After the commit: nobody sees the older versions any more. */
  async clear(): Promise<void> {
    if (this.superseded) await this.parts.points.remove(this.superseded.document, this.superseded.versions);
  }
}
