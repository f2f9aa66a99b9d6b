import { Injectable } from '@nestjs/common';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import type { Span } from '../domain/kept-span.js';
import { ShortTurns } from '../domain/short-turns.js';

const ALL = 2 ** 30;
/** Batches kept by one statement; those of a book at once would hold the event loop up. */
const BATCHES_AT_ONCE = 64;

/** Chunks of a version, as one generation of its collection's index cuts it. */
export interface ChunkPlace {
  readonly tenant: string;
  readonly documentId: string;
  readonly version: number | bigint;
  readonly generation: number;
}

/** Keeps where chunks lie; their text is a slice of the document's canonical text. */
@Injectable()
export class ChunkRepository {
  constructor(private readonly database: Database) {}

  /** Keeps the batches of a version in a generation; what is kept of it already stays as it is. */
  async add(
    tx: SqlTransaction,
    { tenant, documentId, version, generation }: ChunkPlace,
    batches: readonly (readonly Span[])[],
  ): Promise<void> {
    const turns = new ShortTurns();
    for (let first = 0; first < batches.length; first += BATCHES_AT_ONCE) {
      const spans = batches.slice(first, first + BATCHES_AT_ONCE).map((batch) => JSON.stringify(batch));
      tx.write(
        `INSERT INTO chunk_batch (tenant, document_id, version, generation, batch, spans)
         SELECT $1, $2, $3, $5, $6 + ord - 1, spans::jsonb FROM unnest($4::text[]) WITH ORDINALITY AS t(spans, ord)
         ON CONFLICT DO NOTHING`,
        [tenant, documentId, version, spans, generation, first],
      );
      await turns.next();
    }
  }

  /** Spans in order, all of them or `limit` from the one numbered `from` on. */
  async read(
    { tenant, documentId, version, generation }: ChunkPlace,
    { from, limit } = { from: 0, limit: ALL },
  ): Promise<Span[]> {
    const { rows } = await this.database.query<{ first: number; spans: Span[] }>(
      `SELECT first, spans FROM (
         SELECT spans, jsonb_array_length(spans) AS length,
           (sum(jsonb_array_length(spans)) OVER (ORDER BY batch) - jsonb_array_length(spans))::int AS first
         FROM chunk_batch WHERE tenant = $1 AND document_id = $2 AND version = $3 AND generation = $4) AS batches
       WHERE first + length > $5 AND first < $6 ORDER BY first`,
      [tenant, documentId, version, generation, from, from + limit],
    );
    const begin = from - (rows[0]?.first ?? 0);
    return rows.flatMap(({ spans }) => spans).slice(begin, begin + limit);
  }

  /** Its batches in order, as they were kept; none when nothing is. */
  async readBatches({ tenant, documentId, version, generation }: ChunkPlace): Promise<Span[][]> {
    const { rows } = await this.database.query<{ spans: Span[] }>(
      `SELECT spans FROM chunk_batch WHERE tenant = $1 AND document_id = $2 AND version = $3 AND generation = $4 ORDER BY batch`,
      [tenant, documentId, version, generation],
    );
    return rows.map(({ spans }) => spans);
  }

  discard(tx: SqlTransaction, tenant: string, documentId: string, version: number | bigint): void {
    const sql = 'DELETE FROM chunk_batch WHERE tenant = $1 AND document_id = $2 AND version = $3';
    tx.write(sql, [tenant, documentId, version]);
  }

  /** @returns how many chunks were removed. Without a version, those of all versions. */
  async remove(tx: SqlTransaction, tenant: string, documentId: string, version?: number | bigint): Promise<number> {
    const { rows } = await tx.query<{ chunks: number }>(
      `WITH gone AS (
         DELETE FROM chunk_batch WHERE tenant = $1 AND document_id = $2 AND ($3::bigint IS NULL OR version = $3) RETURNING spans)
       SELECT coalesce(sum(jsonb_array_length(spans)), 0)::int AS chunks FROM gone`,
      [tenant, documentId, version ?? null],
    );
    return rows[0]?.chunks ?? 0;
  }
}
