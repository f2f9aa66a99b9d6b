import type { Schemas } from '@qdrant/js-client-rest';
import type { AccessList } from '@ragmesh/observability';
import type { Metadata } from '../../domain/metadata-filter.js';
import { metadataOrder } from '../../domain/metadata-order.js';
import { metadataTerms } from '../../domain/metadata-terms.js';
import { bm25Vector } from '../../domain/sparse-bm25.js';
import { contentHash } from '../content-hash.js';
import type { IndexedPoint } from '../embedded-index/indexed-point.js';
import type { DocumentPoints, StoreBatch } from '../point.repository.js';
import type { RowKey } from '../visible-rows.js';

/** A point as Qdrant finds it: where its row is, how well it matches. */
export interface FoundPoint extends RowKey {
  readonly pointId: string;
  readonly score: number;
}

/** A point as Qdrant holds it. */
export interface HeldPoint extends RowKey, DocumentPoints {
  readonly pointId: string;
  readonly visible: boolean;
  readonly hash: bigint;
  readonly access: AccessList;
  /** Where it lies. */
  readonly holder: string;
}

/** The names of the fields are those of Qdrant's payload indexes. */
interface PointPayload {
  readonly tenant: string;
  readonly collection: string;
  readonly document_id: string;
  readonly version: number;
  readonly ordinal: number;
  readonly generation: number;
  readonly visible: boolean;
  /** Whether `access` lists who may find it; points of releases that knew no lists have neither. */
  readonly restricted?: boolean;
  readonly access?: readonly string[];
  /** Hexadecimal: a JSON number would lose digits. */
  readonly hash: string;
}

export const keyFields = ['document_id', 'version', 'ordinal', 'generation'];
export const heldFields = [...keyFields, 'tenant', 'collection', 'visible', 'hash', 'restricted', 'access'];

const HASH_BITS = 64;
const hexadecimal = /^[0-9a-f]{1,16}$/;

/** A point as Qdrant stores it. Its text stays in the rows. @param averageLength see {@link bm25Vector}. */
export function toQdrant(
  point: IndexedPoint,
  batch: StoreBatch,
  visible: boolean,
  averageLength: number,
): Schemas['PointStruct'] {
  const { tenant, collection, documentId, version, generation, model, access = null } = batch;
  const { pointId, ordinal, metadata, vector, text } = point;
  const hash = BigInt.asUintN(HASH_BITS, contentHash(model, point)).toString(16);
  const key = { tenant, collection, document_id: documentId, version, ordinal, generation, visible, hash };
  const lexical = bm25Vector([tenant, collection], text, averageLength);
  return {
    id: pointId,
    vector: {
      ...(vector ? { dense: Array.from(vector) } : {}),
      ...(lexical.indices.length > 0 ? { lexical } : {}),
    },
    payload: { ...key, ...accessTags(access), ...filterable(metadata) },
  };
}

/** What of a point filters ask about. */
export const filterable = (metadata: Metadata): { metadata: Metadata; terms: string[]; text_order: number[] } => ({
  metadata,
  terms: metadataTerms(metadata),
  text_order: metadataOrder(metadata),
});

/** What of a point says who may find it. */
export const accessTags = (access: AccessList): { restricted: boolean; access: string[] } => ({
  restricted: access !== null,
  access: [...(access ?? [])],
});

export function keyOf(payload: unknown): RowKey {
  const { document_id: documentId, version, ordinal, generation } = payload as PointPayload;
  return { documentId, version, ordinal, generation };
}

/** A hash that cannot be read is one that differs. */
export function heldOf(pointId: string, payload: unknown, holder: string): HeldPoint {
  const { tenant, collection, visible, hash, restricted = false, access: listed = [] } = payload as PointPayload;
  const access = restricted ? listed : null;
  const content = hexadecimal.test(hash) ? BigInt.asIntN(HASH_BITS, BigInt(`0x${hash}`)) : 0n;
  return { ...keyOf(payload), tenant, collection, visible, hash: content, access, pointId, holder };
}
