import type { HandlerResult } from '@ragmesh/messaging';
import { EVERYTHING } from '@ragmesh/observability';
import type { Database, SqlTransaction } from '@ragmesh/postgres';
import type { DocumentIndexRepository, DocumentKey } from '../document-index.repository.js';
import type { HybridHits, IndexedChunk, SearchHit } from '../embedded-index/indexed-point.js';
import type { GenerationRepository } from '../generation.repository.js';
import type { PointRow } from '../point-row.js';
import type { DocumentPoints, PointBatch, PointRepository, VersionRange } from '../point.repository.js';
import { batchesOf } from '../stored-batches.js';
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
import { writeSearchRows } from './pgvector-rows.js';
import type { PgvectorSchema } from './pgvector-schema.js';
import { PgvectorSearch } from './pgvector-search.js';

/** What the store works with. */
export interface PgvectorStoreParts {
  readonly database: Database;
  readonly schema: PgvectorSchema;
  readonly documents: DocumentIndexRepository;
  readonly rows: PointRepository;
  readonly generations: GenerationRepository;
  readonly visible: VisibleRows;
  readonly shown: ShownStamps;
}

const COUNT = `
  SELECT count(*) AS points FROM point_search
  WHERE tenant = $1 AND collection = $2 AND document_id = $3 AND ($4::bigint = 0 OR version = $4)`;

const INVENTORY = `
  SELECT k.tenant, k.collection, k.document_id AS "documentId", s.version, s.generation, s.points, s.hash,
    CASE WHEN s.version = d.visible_version THEN s.points ELSE 0 END AS visible
  FROM unnest($1::text[], $2::text[], $3::text[]) AS k(tenant, collection, document_id)
  LEFT JOIN document_index d ON d.tenant = k.tenant AND d.document_id = k.document_id
  CROSS JOIN LATERAL (
    SELECT version, generation, count(*) AS points, bit_xor(hash)::text AS hash FROM point_search s
    WHERE s.tenant = k.tenant AND s.collection = k.collection AND s.document_id = k.document_id
    GROUP BY version, generation) s`;

/** By the document's collection, as the key begins with it: else every search row of the tenant would be read. */
const HELD = `
  SELECT s.ordinal, s.version, s.generation, s.hash::text AS hash
  FROM document_index d JOIN point_search s USING (tenant, collection, document_id)
  WHERE d.tenant = $1 AND d.document_id = $2`;

interface HeldRow {
  readonly ordinal: number;
  readonly version: number;
  readonly generation: number;
  readonly hash: string;
}

/**
 * Points in PostgreSQL with the vector extension, in the database that has the rows: search rows are written in the same
 * transaction, go with the rows they belong to, and are visible when these are. So nothing can be between.
 */
export class PgvectorStore extends VectorStore {
  private readonly search: PgvectorSearch;

  constructor(private readonly parts: PgvectorStoreParts) {
    super();
    this.search = new PgvectorSearch(parts.database);
  }

  async onModuleInit(): Promise<void> {
    await this.parts.schema.prepare();
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

  following(_document: DocumentKey, commit: (changes: StoreChanges) => Promise<HandlerResult>): Promise<HandlerResult> {
    return commit(this.changes);
  }

  shownStamp(scope: Scope): Promise<string> {
    return this.parts.shown.of(scope);
  }

  liveGeneration(scope: Scope): Promise<number> {
    return this.parts.generations.live(scope);
  }

  async count({ tenant, collection, documentId }: DocumentPoints, version: number): Promise<number> {
    const values = [tenant, collection, documentId, version];
    return (await this.parts.database.query<{ points: number }>(COUNT, values)).rows[0]!.points;
  }

  async cutOver(
    { tenant, collection }: Scope,
    generation: number,
    run: Database['transaction'] = (work) => this.parts.database.transaction(work),
  ): Promise<void> {
    const { database, generations, shown } = this.parts;
    const sql = 'SELECT 1 FROM point_search WHERE tenant = $1 AND collection = $2 AND generation = $3 LIMIT 1';
    const { rows } = await database.query(sql, [tenant, collection, generation]);
    await run(async (tx) => {
      await generations.show(tx, { tenant, collection }, generation, rows.length === 0);
      shown.change(tx, { tenant, collection });
    });
  }

  /** Nothing to do: searches read which one it is with the points. */
  followLive(): Promise<void> {
    return Promise.resolve();
  }

  searchIn(scope: Scope, generation: number, { vector, text, topK }: Question): Promise<readonly DocumentHit[]> {
    return this.search
      .in(generation)
      .hybrid(scope, vector, text, { topK, principals: [EVERYTHING] })
      .then(({ hits }) => hits);
  }

  async drop(scope: Scope, generation: number): Promise<void> {
    await this.parts.generations.remove(scope, generation);
  }

  async inventory(documents: readonly DocumentPoints[]): Promise<VersionInventory[]> {
    const column = (name: keyof DocumentPoints): string[] => documents.map((document) => document[name]);
    const columns = [column('tenant'), column('collection'), column('documentId')];
    const { rows } = await this.parts.database.query<VersionInventory & { hash: string }>(INVENTORY, columns);
    return rows.map((row) => ({ ...row, hash: BigInt(row.hash) }));
  }

  /** None but those with rows, which each search row refers to. */
  async *documents(): AsyncGenerator<DocumentPoints[]> {}

  /** Extra rows cannot be: each refers to the row it belongs to. */
  repair(document: DocumentKey): Promise<Drift> {
    return this.parts.database.transaction(async (tx) => {
      await this.parts.documents.hold(tx, document);
      return this.repairIn(tx, document);
    });
  }

  private async repairIn(tx: SqlTransaction, document: DocumentKey): Promise<Drift> {
    const rows = await this.parts.rows.ofDocument(document, tx);
    const held = new Map((await this.held(tx, document)).map((row) => [nameOf(row), row.hash]));
    const missing = rows.filter((row) => !held.has(nameOf(row)));
    const stale = rows.filter((row) => held.has(nameOf(row)) && held.get(nameOf(row)) !== row.hash);
    await this.restore(tx, [...missing, ...stale]);
    return { missing: missing.length, extra: 0, stale: stale.length };
  }

  private async held(tx: SqlTransaction, { tenant, documentId }: DocumentKey): Promise<HeldRow[]> {
    return (await tx.query<HeldRow>(HELD, [tenant, documentId])).rows;
  }

  private async restore(tx: SqlTransaction, rows: readonly PointRow[]): Promise<void> {
    for (const batch of batchesOf(rows)) {
      await this.parts.schema.ensureIndex(tx, batch.dimension);
      writeSearchRows(tx, batch);
    }
  }

  private readonly changes: StoreChanges = {
    stage: async (tx: SqlTransaction, batch: PointBatch): Promise<void> => {
      await this.parts.schema.ensureIndex(tx, batch.dimension);
      writeSearchRows(tx, batch);
    },
    hide: (tx, document) => this.parts.shown.change(tx, document),
    tag: () => undefined, // searches read it off the document's row
    show: async (tx: SqlTransaction, shown: ShownVersion): Promise<void> => {
      const isShown = ({ version, generation }: HeldRow) =>
        version === shown.version && generation === shown.generation;
      if ((await this.held(tx, shown)).filter(isShown).length !== shown.points) await this.repairIn(tx, shown);
      this.parts.shown.change(tx, shown);
    },
    remove: async (tx: SqlTransaction, document: DocumentPoints, versions: VersionRange): Promise<number> =>
      (await this.held(tx, document)).filter(({ version }) => isIn(version, versions)).length,
  };
}

const nameOf = ({ version, ordinal, generation }: HeldRow): string => `${generation} ${version} ${ordinal}`;

function isIn(version: number, versions: VersionRange): boolean {
  if (versions === 'all') return true;
  return 'exactly' in versions ? version === versions.exactly : version < versions.below;
}
