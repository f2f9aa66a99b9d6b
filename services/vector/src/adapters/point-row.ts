import type { AccessList } from '@ragmesh/observability';
import type { Metadata } from '../domain/metadata-filter.js';
import type { IndexedPoint } from './embedded-index/indexed-point.js';
import { vectorFromBytes } from './float32-bytes.js';
import { chunkId } from './point-id.js';

/** What a reader of points selects, from `point p` and `document_index d`. */
export const pointColumns = `
  p.tenant, p.collection, p.document_id AS "documentId", p.version, p.ordinal, p.point_id AS "pointId", p.text,
  p.start_offset AS start, p.end_offset AS "end", p.page, p.heading, p.metadata::text AS metadata, p.vector, p.generation,
  p.model, p.hash::text AS hash,
  d.visible_version AS "visibleVersion", d.access`;

export interface PointRow extends Omit<IndexedPoint, 'chunkId' | 'metadata' | 'vector'> {
  readonly tenant: string;
  readonly collection: string;
  readonly metadata: string;
  readonly vector: Uint8Array;
  readonly generation: number;
  readonly model: string;
  /** Decimal, see `contentHash`. */
  readonly hash: string;
  readonly visibleVersion: number | null;
  readonly access: AccessList;
}

/** Makes points of rows. Chunks of a document mostly carry the same metadata, so neighbours share one object in memory. */
export class PointReader {
  private json = '{}';
  private metadata: Metadata = {};

  read(row: PointRow): IndexedPoint {
    if (row.metadata !== this.json) [this.json, this.metadata] = [row.metadata, JSON.parse(row.metadata) as Metadata];
    const { documentId, version, ordinal, pointId, text, start, end, page, heading, metadata: _, vector } = row;
    const own = { documentId, version, ordinal, pointId, text, start, end, page, heading };
    return {
      ...own,
      chunkId: chunkId(documentId, version, ordinal),
      metadata: this.metadata,
      vector: vectorFromBytes(vector),
    };
  }
}
