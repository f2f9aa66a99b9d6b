import type { SqlTransaction } from '@ragmesh/postgres';
import { numberedTerms } from '../../domain/sparse-bm25.js';
import { contentHash } from '../content-hash.js';
import type { StoreBatch } from '../point.repository.js';

const UPSERT = `
  INSERT INTO point_search (tenant, collection, document_id, version, generation, dimension, ordinal, hash, embedding, length,
    term_ids, frequencies, point_id)
  SELECT $1, $2, $3, $4::bigint, $5::int, $6::int, ordinal, hash, embedding::vector, length, term_ids::int[],
    frequencies::smallint[], point_id
  FROM unnest($7::int[], $8::bigint[], $9::text[], $10::int[], $11::text[], $12::text[], $13::uuid[])
    AS t(ordinal, hash, embedding, length, term_ids, frequencies, point_id)
  ON CONFLICT (tenant, collection, document_id, version, ordinal, generation) DO UPDATE SET
    dimension = excluded.dimension, hash = excluded.hash, embedding = excluded.embedding, length = excluded.length,
    term_ids = excluded.term_ids, frequencies = excluded.frequencies`;

/** Writes what searches read, in the transaction that writes the rows of `point` it belongs to. */
export function writeSearchRows(tx: SqlTransaction, batch: StoreBatch): void {
  const { tenant, collection, documentId, version, generation, model, dimension, points } = batch;
  const terms = points.map(({ text }) => numberedTerms([tenant, collection], text));
  tx.write(UPSERT, [
    ...[tenant, collection, documentId, version, generation, dimension],
    points.map(({ ordinal }) => ordinal),
    points.map((point) => String(contentHash(model, point))),
    points.map(({ vector }) => `[${vector!.join()}]`),
    terms.map(({ length }) => length),
    terms.map(({ indices }) => `{${indices.map(signed).join()}}`),
    terms.map(({ values }) => `{${values.join()}}`),
    points.map(({ pointId }) => pointId),
  ]);
}

/** PostgreSQL's integers have a sign; term numbers have none. */
export const signed = (number: number): number => number | 0;
