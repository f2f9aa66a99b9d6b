import { Injectable } from '@nestjs/common';
import { Database, type SqlRunner, type SqlTransaction } from '@ragmesh/postgres';
import type { SagaError } from '@ragmesh/saga';
import type { Chunking, Target } from '../domain/chunking.js';
import type { Quality } from '../domain/quality.js';

export type GenerationStatus = 'building' | 'live' | 'previous' | 'failed' | 'dropped';

/** What callers see of the operation that builds or shows a generation. */
export interface GenerationOperation {
  readonly status?: 'processing' | 'ready' | 'failed';
  readonly stage?: string;
  readonly done?: number;
  readonly documents?: number;
  readonly error?: SagaError | null;
}

/** A generation of a collection's index. */
export interface GenerationRow {
  readonly generation: number;
  readonly state: GenerationStatus;
  readonly chunk_size: number | null;
  readonly chunk_overlap: number | null;
  /** `name@revision` it is built with; null: the one this installation embeds with. */
  readonly model: string | null;
  readonly operation: GenerationOperation;
  readonly quality: Quality | null;
  readonly created_at: Date;
  readonly left_at: Date | null;
}

/** A generation of some tenant that is to be removed. */
export interface Leftover {
  readonly tenant: string;
  readonly collection: string;
  readonly generation: number;
}

/** How many chunks the version has that readers see of a document. */
export interface ShownCut {
  readonly document_id: string;
  readonly version: number;
  readonly chunks: number;
  /** In µs since 1970, by the database's clock. */
  readonly shown_at: number;
}

const TARGETS = `
  SELECT generation, chunk_size, chunk_overlap, model FROM index_generation
  WHERE tenant = $1 AND collection = $2 AND state IN ('live', 'previous', 'building')
  ORDER BY state = 'live' DESC, generation`;

const ADD = `
  INSERT INTO index_generation (tenant, collection, generation, state, chunk_size, chunk_overlap, model)
  SELECT $1, $2, coalesce(max(generation), 0) + 1, 'building', $3::int, $4::int, $5::text
  FROM index_generation WHERE tenant = $1 AND collection = $2 RETURNING generation`;

/** Counts anew what differs; gives what of that readers see. */
const RECOUNT = `
  WITH counted AS (
    UPDATE document_version v SET chunks = c.chunks FROM (
      SELECT b.document_id, b.version, d.live_version, sum(jsonb_array_length(b.spans))::int AS chunks
      FROM chunk_batch b JOIN document d ON d.tenant = b.tenant AND d.id = b.document_id
      WHERE b.tenant = $1 AND d.collection = $2 AND b.generation = $3 GROUP BY 1, 2, 3) c
    WHERE v.tenant = $1 AND v.document_id = c.document_id AND v.version = c.version AND v.chunks <> c.chunks
    RETURNING v.document_id, v.version, v.chunks, c.live_version)
  SELECT document_id, version, chunks, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS shown_at
  FROM counted WHERE version = live_version ORDER BY document_id`;

/** Nobody removes what an ingestion still counts the batches of. */
const LEFTOVERS = `
  SELECT tenant, collection, generation FROM index_generation g
  WHERE state IN ('failed', 'dropped') AND NOT removed AND NOT EXISTS (
    SELECT FROM saga s WHERE s.name = 'document-ingestion' AND s.status = 'running' AND s.tenant = g.tenant
      AND s.data ->> 'collection' = g.collection AND (s.data ->> 'generation')::int = g.generation)`;

/** The generations of collections: which there are, and which one readers see. */
@Injectable()
export class GenerationRepository {
  /** What was asked already, of each transaction and collection. */
  readonly #kept = new WeakMap<SqlTransaction, Map<string, Promise<Target[]>>>();

  constructor(private readonly database: Database) {}

  /** As {@link targets}; until the transaction ends no generation begins or leaves, so it is asked once. */
  keptTargets(tx: SqlTransaction, tenant: string, collection: string): Promise<Target[]> {
    const kept = this.#kept.get(tx) ?? new Map<string, Promise<Target[]>>();
    this.#kept.set(tx, kept);
    const name = lockOf(tenant, collection);
    const known = kept.get(name);
    if (known) return known;
    tx.write('SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [name]);
    const targets = this.targets(tenant, collection, tx);
    kept.set(name, targets);
    return targets;
  }

  /** Until the transaction ends nobody writes a version to the generations there are. */
  async change(tx: SqlTransaction, tenant: string, collection: string): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lockOf(tenant, collection)]);
  }

  /** What a new version is written to, the one readers see first; none for a collection that was never indexed anew. */
  async targets(tenant: string, collection: string, sql: SqlRunner = this.database): Promise<Target[]> {
    const { rows } = await sql.query<Pick<GenerationRow, 'generation' | 'chunk_size' | 'chunk_overlap' | 'model'>>(
      TARGETS,
      [tenant, collection],
    );
    return rows.map((row) => ({ generation: row.generation, chunking: chunkingOf(row), model: row.model }));
  }

  /** The generation readers see. */
  async live(tenant: string, collection: string): Promise<number> {
    const query = `SELECT generation FROM index_generation WHERE tenant = $1 AND collection = $2 AND state = 'live'`;
    return (await this.database.query<{ generation: number }>(query, [tenant, collection])).rows[0]?.generation ?? 0;
  }

  /** Newest first; removed ones are left out, failed ones stay to be looked at. */
  async list(tenant: string, collection: string): Promise<GenerationRow[]> {
    const { rows } = await this.database.query<GenerationRow>(
      `SELECT * FROM index_generation WHERE tenant = $1 AND collection = $2 AND state <> 'dropped' ORDER BY generation DESC`,
      [tenant, collection],
    );
    return rows;
  }

  async find(
    tenant: string,
    collection: string,
    generation: number,
    sql: SqlRunner = this.database,
  ): Promise<GenerationRow | undefined> {
    const { rows } = await sql.query<GenerationRow>(
      'SELECT * FROM index_generation WHERE tenant = $1 AND collection = $2 AND generation = $3',
      [tenant, collection, generation],
    );
    return rows[0];
  }

  /** The model of the generation readers see; null: the one this installation embeds with. */
  async liveModel(tenant: string, collection: string, sql: SqlRunner = this.database): Promise<string | null> {
    const query = `SELECT model FROM index_generation WHERE tenant = $1 AND collection = $2 AND state = 'live'`;
    return (await sql.query<{ model: string | null }>(query, [tenant, collection])).rows[0]?.model ?? null;
  }

  /**
   * Adds a generation that is to be built; the first time the one there is gets its row, too. Without a model of its own it has
   * that of the one readers see. @returns its number.
   */
  async add(
    tx: SqlTransaction,
    { tenant, collection }: Omit<Leftover, 'generation'>,
    { chunking, model }: Omit<Target, 'generation'>,
  ): Promise<number> {
    await tx.query(
      `INSERT INTO index_generation (tenant, collection, generation, state) SELECT $1, $2, 0, 'live'
       WHERE NOT EXISTS (SELECT FROM index_generation WHERE tenant = $1 AND collection = $2)`,
      [tenant, collection],
    );
    const kept = model ?? (await this.liveModel(tenant, collection, tx));
    const values = [tenant, collection, chunking?.size ?? null, chunking?.overlap ?? null, kept];
    return (await tx.query<{ generation: number }>(ADD, values)).rows[0]!.generation;
  }

  note(
    tx: SqlTransaction,
    { tenant, collection, generation }: Leftover,
    operation: GenerationOperation,
    quality: Quality | null,
  ): void {
    tx.write(
      `UPDATE index_generation SET operation = $4, quality = coalesce($5, quality)
       WHERE tenant = $1 AND collection = $2 AND generation = $3`,
      [tenant, collection, generation, operation, quality],
    );
  }

  /**
   * Readers see it: the one before is kept for a rollback, those before that one are not.
   * @returns what readers see cut into another number of chunks than before.
   */
  async show(tx: SqlTransaction, { tenant, collection, generation }: Leftover): Promise<readonly ShownCut[]> {
    const place = [tenant, collection, generation];
    tx.write(
      `UPDATE index_generation SET state = CASE state WHEN 'live' THEN 'previous' ELSE 'dropped' END,
         left_at = CASE state WHEN 'live' THEN now() ELSE left_at END
       WHERE tenant = $1 AND collection = $2 AND generation <> $3 AND state IN ('live', 'previous')`,
      place,
    );
    tx.write(
      `UPDATE index_generation SET state = 'live', left_at = NULL WHERE tenant = $1 AND collection = $2 AND generation = $3`,
      place,
    );
    return (await tx.query<ShownCut>(RECOUNT, place)).rows;
  }

  /** @returns false when its state is none of `from`. */
  async leave(
    tx: SqlTransaction,
    { tenant, collection, generation }: Leftover,
    from: GenerationStatus,
    to: GenerationStatus,
  ): Promise<boolean> {
    const { rowCount } = await tx.query(
      `UPDATE index_generation SET state = $5 WHERE tenant = $1 AND collection = $2 AND generation = $3 AND state = $4`,
      [tenant, collection, generation, from, to],
    );
    return rowCount > 0;
  }

  /** Gives up what was kept for a rollback longer than this, unless one is under way. */
  async expire(keptSeconds: number): Promise<void> {
    await this.database.query(
      `UPDATE index_generation SET state = 'dropped' WHERE state = 'previous'
         AND left_at < now() - $1 * interval '1 second' AND operation ->> 'status' IS DISTINCT FROM 'processing'`,
      [keptSeconds],
    );
  }

  /** Generations whose points and chunks are still to be removed. */
  async leftovers(): Promise<Leftover[]> {
    return (await this.database.query<Leftover>(LEFTOVERS)).rows;
  }

  /** Its points are gone: so are its chunks from now on. */
  async remove({ tenant, collection, generation }: Leftover): Promise<void> {
    await this.database.transaction(async (tx) => {
      tx.write(
        `DELETE FROM chunk_batch b USING document d WHERE b.tenant = $1 AND b.generation = $3
           AND d.tenant = $1 AND d.id = b.document_id AND d.collection = $2`,
        [tenant, collection, generation],
      );
      const gone = `UPDATE index_generation SET removed = true WHERE tenant = $1 AND collection = $2 AND generation = $3`;
      await tx.query(gone, [tenant, collection, generation]);
    });
  }

  /** Ingestions that were cut before the generation began, and are not through: they are not in it yet. */
  async ingestionsWithout(tenant: string, collection: string, generation: number): Promise<number> {
    const { rows } = await this.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM saga
       WHERE name = 'document-ingestion' AND status = 'running' AND step IN ('index', 'show') AND tenant = $1
         AND data ->> 'collection' = $2 AND NOT coalesce(data -> 'generations' @> $3::jsonb, false)`,
      [tenant, collection, JSON.stringify([{ generation }])],
    );
    return rows[0]!.count;
  }
}

export const chunkingOf = (row: Pick<GenerationRow, 'chunk_size' | 'chunk_overlap'>): Chunking =>
  row.chunk_size === null ? null : { size: row.chunk_size, overlap: row.chunk_overlap ?? 0 };

const lockOf = (tenant: string, collection: string): string => JSON.stringify(['generations', tenant, collection]);
