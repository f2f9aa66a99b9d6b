import { Injectable } from '@nestjs/common';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import type { DocumentKey } from './document-index.repository.js';
import type { IndexedPoint } from './embedded-index/indexed-point.js';
import { PointReader, pointColumns, type PointRow } from './point-row.js';

/** Chunks of one version with their vectors, to be stored in one statement. */
export interface PointBatch extends DocumentKey {
  readonly collection: string;
  readonly version: number;
  readonly model: string;
  readonly points: readonly IndexedPoint[];
  readonly dimension: number;
  /** The vectors of all points in their order: float32, little endian. */
  readonly vectors: Uint8Array;
}

/** A document's points and the version readers see of it. */
export interface StoredDocument {
  readonly visibleVersion: number | null;
  readonly points: readonly IndexedPoint[];
}

/** Vectors go as one binary value and are cut apart by the server: an array of them would travel as hex text. */
const UPSERT = `
  INSERT INTO point (tenant, collection, document_id, version, ordinal, point_id, model, text, start_offset, end_offset,
    page, heading, metadata, vector)
  SELECT $1, $2, $3, $4::bigint, ordinal, point_id, $5, text, start_offset, end_offset, page, heading, metadata::jsonb,
    substring($6::bytea FROM ((position - 1) * $7::int + 1)::int FOR $7::int)
  FROM unnest($8::int[], $9::uuid[], $10::text[], $11::int[], $12::int[], $13::int[], $14::text[], $15::text[])
    WITH ORDINALITY AS t(ordinal, point_id, text, start_offset, end_offset, page, heading, metadata, position)
  ON CONFLICT (tenant, collection, document_id, version, ordinal) DO UPDATE SET
    model = excluded.model, text = excluded.text, start_offset = excluded.start_offset, end_offset = excluded.end_offset,
    page = excluded.page, heading = excluded.heading, metadata = excluded.metadata, vector = excluded.vector`;

const DIMENSION = `
  SELECT octet_length(vector) / 4 AS dimension FROM point WHERE tenant = $1 AND collection = $2
  ORDER BY tenant, collection, document_id, version, ordinal LIMIT 1`;

const DOCUMENT = `
  SELECT ${pointColumns} FROM document_index d JOIN point p USING (tenant, collection, document_id)
  WHERE d.tenant = $1 AND d.document_id = $2`;

const PAGE = `
  SELECT ${pointColumns} FROM point p LEFT JOIN document_index d USING (tenant, document_id)
  WHERE (p.tenant, p.collection, p.document_id, p.version, p.ordinal) > ($1, $2, $3, $4::bigint, $5::int)
  ORDER BY p.tenant, p.collection, p.document_id, p.version, p.ordinal LIMIT $6`;

/** The points as rows: what is stored here is what a start finds again. */
@Injectable()
export class PointRepository {
  constructor(private readonly database: Database) {}

  /** Stores a batch in one statement; the same batch again changes nothing, a corrected one replaces it. */
  async upsert(tx: SqlTransaction, batch: PointBatch): Promise<void> {
    const { points, vectors } = batch;
    const column = <K extends keyof IndexedPoint>(name: K): IndexedPoint[K][] => points.map((point) => point[name]);
    await tx.query(UPSERT, [
      ...[batch.tenant, batch.collection, batch.documentId, batch.version, batch.model],
      ...[Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength), batch.dimension * 4],
      ...[column('ordinal'), column('pointId'), column('text'), column('start'), column('end'), column('page')],
      ...[column('heading'), column('metadata').map((metadata) => JSON.stringify(metadata))],
    ]);
  }

  /** Length of the vectors a collection holds; undefined while it holds none. */
  async dimension(tx: SqlTransaction, tenant: string, collection: string): Promise<number | undefined> {
    const look = async () => (await tx.query<{ dimension: number }>(DIMENSION, [tenant, collection])).rows[0]?.dimension;
    const known = await look();
    if (known !== undefined) return known;
    // The first batch decides; one that came at the same time waits here for the decision.
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [JSON.stringify([tenant, collection])]);
    return look();
  }

  /** How many points a version has. */
  async count(tx: SqlTransaction, { tenant, documentId }: DocumentKey, collection: string, version?: number): Promise<number> {
    const sql = `SELECT count(*) AS points FROM point WHERE tenant = $1 AND collection = $2 AND document_id = $3
                 ${version === undefined ? '' : 'AND version = $4'}`;
    const values = [tenant, collection, documentId, ...(version === undefined ? [] : [version])];
    return (await tx.query<{ points: number }>(sql, values)).rows[0]!.points;
  }
}
