import { Injectable } from '@nestjs/common';
import type { AccessList } from '@ragmesh/observability';
import { Database, type SqlRunner, type SqlTransaction } from '@ragmesh/postgres';
import { contentHash } from './content-hash.js';
import type { DocumentKey, VectorKind } from './document-index.repository.js';
import type { IndexedPoint } from './embedded-index/indexed-point.js';
import { pointColumns, type PointRow } from './point-row.js';

/** A document's points, where they lie. */
export interface DocumentPoints extends DocumentKey {
  readonly collection: string;
}

/** Chunks of one version with their vectors, to be stored in one statement. */
export interface PointBatch extends DocumentPoints {
  readonly version: number;
  /** Which making of the collection's index they belong to. */
  readonly generation: number;
  readonly model: string;
  readonly points: readonly IndexedPoint[];
  readonly dimension: number;
  /** Who may find them, as the document's row says; left out: everyone of the tenant. */
  readonly access?: AccessList;
  /** The vectors of all points in their order: float32, little endian. */
  readonly vectors: Uint8Array;
}

/** A batch for a store that takes the vectors from the points. */
export type StoreBatch = Omit<PointBatch, 'vectors'>;

/** Versions of a document. */
export type VersionRange = { readonly exactly: number } | { readonly below: number } | 'all';

/** How many points of which version. */
export type PointsByVersion = ReadonlyMap<number, number>;

/** Vectors go as one binary value and are cut apart by the server: an array of them would travel as hex text. */
const UPSERT = `
  INSERT INTO point (tenant, collection, document_id, version, ordinal, point_id, model, text, start_offset, end_offset,
    page, heading, metadata, vector, generation, hash)
  SELECT $1, $2, $3, $4::bigint, ordinal, point_id, $5, text, start_offset, end_offset, page, heading, metadata::jsonb,
    substring($6::bytea FROM ((position - 1) * $7::int + 1)::int FOR $7::int),
    $17::int, hash
  FROM unnest($8::int[], $9::uuid[], $10::text[], $11::int[], $12::int[], $13::int[], $14::text[], $15::text[], $16::bigint[])
    WITH ORDINALITY AS t(ordinal, point_id, text, start_offset, end_offset, page, heading, metadata, hash, position)
  ON CONFLICT (tenant, collection, document_id, version, ordinal, generation) DO UPDATE SET
    model = excluded.model, text = excluded.text, start_offset = excluded.start_offset, end_offset = excluded.end_offset,
    page = excluded.page, heading = excluded.heading, metadata = excluded.metadata, vector = excluded.vector,
    hash = excluded.hash`;

interface Totals {
  readonly points: number;
  readonly visible: number;
  /** XOR of the content hashes, 16 hexadecimal digits; empty without points. */
  readonly hash: string;
}

/** Bounds the memory of a rebuild: a page is about 5 MB. */
const PAGE_ROWS = 1_000;

const KIND = `
  SELECT octet_length(vector) / 4 AS dimension, model FROM point WHERE tenant = $1 AND collection = $2 AND generation = $3
  ORDER BY tenant, collection, document_id, version, ordinal LIMIT 1`;

const TOTALS = `
  SELECT count(*) AS points, count(*) FILTER (WHERE p.version = d.visible_version AND p.generation = coalesce((
      SELECT generation FROM index_generation g WHERE g.tenant = $1 AND g.collection = $2 AND g.live), 0)) AS visible,
    coalesce(lpad(to_hex(bit_xor(p.hash)), 16, '0'), '') AS hash
  FROM point p LEFT JOIN document_index d ON d.tenant = p.tenant AND d.document_id = p.document_id
  WHERE p.tenant = $1 AND p.collection = $2 AND ($3 = '' OR p.document_id = $3) AND ($4::bigint = 0 OR p.version = $4)`;

const DOCUMENT = `
  SELECT ${pointColumns} FROM document_index d JOIN point p USING (tenant, collection, document_id)
  WHERE d.tenant = $1 AND d.document_id = $2`;

/** The page is cut from the key's own index before anything is joined to it. */
const PAGE = `
  SELECT ${pointColumns} FROM (
    SELECT * FROM point
    WHERE (tenant, collection, document_id, version, ordinal, generation) > ($1, $2, $3, $4::bigint, $5::int, $6::int)
    ORDER BY tenant, collection, document_id, version, ordinal, generation LIMIT ${PAGE_ROWS}) p
  LEFT JOIN document_index d ON d.tenant = p.tenant AND d.document_id = p.document_id
  ORDER BY p.tenant, p.collection, p.document_id, p.version, p.ordinal, p.generation`;

/** A document of any length is removed by statements of this many ordinals, as each of them has only so much time. */
const REMOVED_ORDINALS = 5_000;

/** @returns SQL that removes a document's points from one ordinal up to another, and tells which one comes next. */
function removal({ condition, values }: ReturnType<typeof where>): string {
  const [from, to] = [`$${values.length + 1}::int`, `$${values.length + 2}::int`];
  return `
    WITH removed AS (DELETE FROM point WHERE ${condition} AND ordinal >= ${from} AND ordinal < ${to} RETURNING version)
    SELECT version, points, next FROM (SELECT min(ordinal) AS next FROM point WHERE ${condition} AND ordinal >= ${to}) n
    LEFT JOIN (SELECT version, count(*) AS points FROM removed GROUP BY version) r ON true`;
}

interface Removed {
  /** null when none was removed. */
  readonly version: number | null;
  readonly points: number;
  readonly next: number | null;
}

/** The points as rows: what is stored here is what a start finds again. */
@Injectable()
export class PointRepository {
  /** What the vectors of a generation are, decided by batches that are not stored yet. */
  private readonly decisions = new WeakMap<SqlTransaction, Map<string, VectorKind>>();

  constructor(private readonly database: Database) {}

  /** Stores a batch in one statement; the same batch again changes nothing, a corrected one replaces it. */
  upsert(tx: SqlTransaction, batch: PointBatch): void {
    const { points, vectors } = batch;
    const column = <K extends keyof IndexedPoint>(name: K): IndexedPoint[K][] => points.map((point) => point[name]);
    tx.write(UPSERT, [
      ...[batch.tenant, batch.collection, batch.documentId, batch.version, batch.model],
      ...[Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength), batch.dimension * 4],
      ...[column('ordinal'), column('pointId'), column('text'), column('start'), column('end'), column('page')],
      ...[column('heading'), column('metadata').map((metadata) => JSON.stringify(metadata))],
      ...[points.map((point) => String(contentHash(batch.model, point))), batch.generation],
    ]);
  }

  /** What the vectors of a batch's generation are; its first batch decides. */
  async kind(tx: SqlTransaction, batch: PointBatch): Promise<VectorKind> {
    const { tenant, collection, generation, dimension, model } = batch;
    const look = async () => (await tx.query<VectorKind>(KIND, [tenant, collection, generation])).rows[0];
    const known = await look();
    if (known !== undefined) return known;
    // One that came at the same time waits here for the decision, or finds it made in the transaction they share.
    const name = JSON.stringify([tenant, collection, generation]);
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
    const decisions = this.decisions.get(tx) ?? new Map<string, VectorKind>();
    this.decisions.set(tx, decisions);
    const decided = (await look()) ?? decisions.get(name) ?? { dimension, model };
    decisions.set(name, decided);
    return decided;
  }

  /** How many points a document has of these versions, in one generation or in all. */
  async count(
    tx: SqlTransaction,
    document: DocumentPoints,
    versions: VersionRange,
    generation: number | null = null,
  ): Promise<number> {
    const { condition, values } = where(document, versions);
    const place = `$${values.length + 1}::int`;
    const sql = `SELECT count(*) AS points FROM point WHERE ${condition} AND (${place} IS NULL OR generation = ${place})`;
    return (await tx.query<{ points: number }>(sql, [...values, generation])).rows[0]!.points;
  }

  /** The newest version a document has points of, 0 when it has none. */
  async newestVersion(tx: SqlTransaction, document: DocumentPoints): Promise<number> {
    const { condition, values } = where(document, 'all');
    const sql = `SELECT coalesce(max(version), 0) AS version FROM point WHERE ${condition}`;
    return (await tx.query<{ version: number }>(sql, values)).rows[0]!.version;
  }

  /** @returns what was removed. */
  async remove(tx: SqlTransaction, document: DocumentPoints, versions: VersionRange): Promise<PointsByVersion> {
    const range = where(document, versions);
    tx.write(`DELETE FROM generation_document WHERE ${range.condition}`, range.values);
    const removed = new Map<number, number>();
    for (let from: number | null = 0; from !== null;) {
      const to: number = from + REMOVED_ORDINALS;
      const { rows }: { rows: Removed[] } = await tx.query<Removed>(removal(range), [...range.values, from, to]);
      for (const { version, points } of rows)
        if (version !== null) removed.set(version, (removed.get(version) ?? 0) + points);
      from = rows[0]!.next;
    }
    return removed;
  }

  /** Points and visible points of a collection; of a document only, or of one version, when they are named (not '' or 0). */
  async totals({
    tenant,
    collection,
    documentId,
    version,
  }: DocumentPoints & { readonly version: number }): Promise<Totals> {
    const { rows } = await this.database.query<Totals>(TOTALS, [tenant, collection, documentId, version]);
    return rows[0]!;
  }

  /** The rows of one document, with what readers see of it. */
  async ofDocument({ tenant, documentId }: DocumentKey, runner: SqlRunner = this.database): Promise<PointRow[]> {
    return (await runner.query<PointRow>(DOCUMENT, [tenant, documentId])).rows;
  }

  /**
   * Every row there is, by tenant, collection, document and version, a page at a time. The next page is on its way while
   * the reader works on this one, so at most two are in memory.
   */
  async *pages(): AsyncGenerator<PointRow[]> {
    let next: Promise<PointRow[]> | undefined = this.page(['', '', '', 0, 0, 0]);
    while (next) {
      const rows: PointRow[] = await next;
      const last = rows.at(-1);
      const isLast = last === undefined || rows.length < PAGE_ROWS;
      next = isLast
        ? undefined
        : this.page([last.tenant, last.collection, last.documentId, last.version, last.ordinal, last.generation]);
      next?.catch(() => undefined); // a reader that stops early does not wait for it
      if (last) yield rows;
    }
  }

  private async page(after: readonly unknown[]): Promise<PointRow[]> {
    return (await this.database.query<PointRow>(PAGE, after)).rows;
  }
}

function where({ tenant, collection, documentId }: DocumentPoints, versions: VersionRange) {
  const condition = 'tenant = $1 AND collection = $2 AND document_id = $3';
  const values = [tenant, collection, documentId];
  if (versions === 'all') return { condition, values };
  if ('below' in versions) return { condition: `${condition} AND version < $4`, values: [...values, versions.below] };
  return { condition: `${condition} AND version = $4`, values: [...values, versions.exactly] };
}
