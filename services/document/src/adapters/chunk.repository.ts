import { Injectable } from '@nestjs/common';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import type { Span } from './document.rows.js';

/** Chunks per batch, and so per event and per row. */
export const BATCH_SIZE = 64;

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

  /** Keeps the chunks of a version in a generation; what is kept of it already stays as it is. */
  add(tx: SqlTransaction, { tenant, documentId, version, generation }: ChunkPlace, spans: readonly Span[]): void {
    const batches: string[] = [];
    for (let at = 0; at < spans.length; at += BATCH_SIZE)
      batches.push(JSON.stringify(spans.slice(at, at + BATCH_SIZE)));
    tx.write(
      `INSERT INTO chunk_batch (tenant, document_id, version, generation, batch, spans)
       SELECT $1, $2, $3, $5, ord - 1, spans::jsonb FROM unnest($4::text[]) WITH ORDINALITY AS t(spans, ord)
       ON CONFLICT DO NOTHING`,
      [tenant, documentId, version, batches, generation],
    );
  }

  /** Spans of the batches `from` to `to`, in order. */
  async read({ tenant, documentId, version, generation }: ChunkPlace, from = 0, to = 2 ** 31 - 1): Promise<Span[]> {
    const { rows } = await this.database.query<{ spans: Span[] }>(
      `SELECT spans FROM chunk_batch WHERE tenant = $1 AND document_id = $2 AND version = $3 AND generation = $6
         AND batch BETWEEN $4 AND $5 ORDER BY batch`,
      [tenant, documentId, version, from, to, generation],
    );
    return rows.flatMap(({ spans }) => spans);
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
