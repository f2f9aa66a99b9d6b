import { Injectable } from '@nestjs/common';
import { readsEverything } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import type { Metadata } from '../domain/metadata-filter.js';
import type { IndexedChunk } from './embedded-index/indexed-point.js';
import { chunkId } from './point-id.js';
import type { ChunkPlace, Principals, Scope } from './vector-store.js';

/** Where a chunk's row lies, within a scope. */
export interface RowKey {
  readonly documentId: string;
  readonly version: number;
  readonly ordinal: number;
  readonly generation: number;
}

/** A chunk without its vector, from `point p`. */
export const chunkColumns = `
  p.point_id AS "pointId", p.document_id AS "documentId", p.version, p.ordinal, p.text, p.start_offset AS start,
  p.end_offset AS "end", p.page, p.heading, p.metadata`;

/** What joins `point p` to the version readers see. */
export const isVisible = `
  JOIN document_index d ON d.tenant = p.tenant AND d.document_id = p.document_id AND d.visible_version = p.version`;

/** Of {@link isVisible}, what may be read by those whose principals are the parameter at `place`. */
export const isReadable = (place: string): string =>
  `(d.access IS NULL OR ${place}::text[] IS NULL OR d.access && ${place}::text[])`;

/** Principals as {@link isReadable} takes them: null for who reads everything. */
export const readerOf = (principals: Principals): Principals | null =>
  readsEverything(principals) ? null : principals;

const BY_KEY = `
  SELECT ${chunkColumns}
  FROM unnest($3::text[], $4::bigint[], $5::int[], $6::int[]) AS k(document_id, version, ordinal, generation)
  JOIN point p ON p.tenant = $1 AND p.collection = $2 AND p.document_id = k.document_id AND p.version = k.version
    AND p.ordinal = k.ordinal AND p.generation = k.generation ${isVisible} AND ${isReadable('$7')}`;

const NEIGHBOURS = `
  SELECT ${chunkColumns} FROM point p ${isVisible}
  WHERE p.tenant = $1 AND p.collection = $2 AND p.document_id = $3 AND ($4::bigint = 0 OR p.version = $4)
    AND p.ordinal = ANY($5::int[]) AND p.generation = coalesce((
      SELECT generation FROM index_generation WHERE tenant = $1 AND collection = $2 AND live), 0)
    AND ${isReadable('$6')}
  ORDER BY p.ordinal`;

/** A row as {@link chunkColumns} selects it. */
export type ChunkRow = Omit<IndexedChunk, 'chunkId' | 'metadata'> & { readonly metadata: Metadata };

/** @param row may have further columns; they are kept. */
export const chunkOf = <R extends ChunkRow>(row: R): R & IndexedChunk => ({
  ...row,
  chunkId: chunkId(row.documentId, row.version, row.ordinal),
});

/** The chunks readers may see now, as the rows have them: whatever a store finds is worth only what they say of it. */
@Injectable()
export class VisibleRows {
  constructor(private readonly database: Database) {}

  /** Chunks by point id; those that are not visible to these principals are not in it. */
  async chunks(
    { tenant, collection }: Scope,
    keys: readonly RowKey[],
    principals: Principals = [],
  ): Promise<Map<string, IndexedChunk>> {
    if (keys.length === 0) return new Map();
    const column = <K extends keyof RowKey>(name: K): RowKey[K][] => keys.map((key) => key[name]);
    const columns = [column('documentId'), column('version'), column('ordinal'), column('generation')];
    const { rows } = await this.database.query<ChunkRow>(BY_KEY, [
      tenant,
      collection,
      ...columns,
      readerOf(principals),
    ]);
    return new Map(rows.map((row) => [row.pointId, chunkOf(row)]));
  }

  /** Chunks of the visible version and generation in order. */
  async neighbours(
    { tenant, collection }: Scope,
    { documentId, version, ordinals }: ChunkPlace,
    principals: Principals = [],
  ): Promise<IndexedChunk[]> {
    const values = [tenant, collection, documentId, version, ordinals, readerOf(principals)];
    const { rows } = await this.database.query<ChunkRow>(NEIGHBOURS, values);
    return rows.map((row) => chunkOf(row));
  }
}
