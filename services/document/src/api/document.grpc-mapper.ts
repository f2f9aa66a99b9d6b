import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { documentV1 } from '@ragmesh/contracts';
import { errorCatalogue, type ErrorCode } from '@ragmesh/errors';
import type { AccessList } from '@ragmesh/observability';
import type { SagaError } from '@ragmesh/saga';
import type { DocumentRow } from '../adapters/document.rows.js';
import { isRetryable } from '../domain/retryable.js';
import type { Deletion } from '../sagas/deletion.saga.js';

type DocumentInit = MessageInitShape<typeof documentV1.DocumentSchema>;
type ErrorInit = MessageInitShape<typeof documentV1.DocumentErrorSchema>;
type OperationInit = MessageInitShape<typeof documentV1.OperationSchema>;

export function toError({ code, message }: SagaError): ErrorInit {
  const { help } = errorCatalogue[code as ErrorCode] ?? errorCatalogue['INTERNAL.UNEXPECTED'];
  return { code, message, help, retryable: isRetryable(code) };
}

export function toDocument(row: DocumentRow): DocumentInit {
  return {
    id: row.id,
    collection: row.collection,
    title: row.title,
    status: row.status,
    stage: row.stage ?? '',
    progress: row.progress,
    attempt: row.attempt,
    version: BigInt(row.version),
    liveVersion: BigInt(row.live_version ?? 0),
    ...(row.error ? { error: toError(row.error) } : {}),
    metadata: row.metadata as never,
    mediaType: row.media_type ?? '',
    sizeBytes: BigInt(row.size_bytes ?? 0),
    sha256: row.sha256 ?? '',
    chunks: row.chunks ?? 0,
    access: { restricted: row.access !== null, principals: [...(row.access ?? [])] },
    createdAt: timestampFromDate(row.created_at),
    updatedAt: timestampFromDate(row.updated_at),
  };
}

/**
 * Which attempt at its upload a version is. A retry counts both on by one and an upload begins with the first, so it is known of
 * those since the newest upload; 0 for those before.
 */
export const attemptOf = (newest: Pick<DocumentRow, 'version' | 'attempt'>, version: number): number =>
  Math.max(0, newest.attempt - (newest.version - version));

/** The list a message has; undefined when it has none, null when everyone of the tenant may read. */
export const accessOf = (access: documentV1.Access | undefined): AccessList | undefined =>
  access && (access.restricted ? access.principals : null);

export type OperationKind = 'ingestion' | 'deletion';

/** An operation is named by what it does to which version, so nothing has to be stored for it. */
export const operationId = (kind: OperationKind, documentId: string, version: number): string =>
  `${kind}-${version}-${documentId}`;

/** What the id of an operation of a document says. */
export interface DocumentOperation {
  readonly kind: OperationKind;
  readonly version: number;
  readonly documentId: string;
}

export function parseOperationId(id: string): DocumentOperation | undefined {
  const match = /^(ingestion|deletion)-(\d{1,15})-(.+)$/s.exec(id);
  return match ? { kind: match[1] as OperationKind, version: Number(match[2]), documentId: match[3]! } : undefined;
}

const NOTHING_KNOWN = { stage: null, error: null, progress: 0 };

/** How far an operation is, read off its document; one that failed stays where it stopped. */
export function toOperation(kind: OperationKind, version: number, row: DocumentRow): OperationInit {
  const status = kind === 'ingestion' ? ingestionStatus(version, row) : row.status;
  const done = ['superseded', 'ready', 'failed', 'deleted'].includes(status);
  // Those of the row are of its newest version, and how far it was read says nothing of how far it is deleted.
  const { stage, error, progress: read } = row.version === version ? row : NOTHING_KNOWN;
  const progress = status === 'deleting' ? 0 : read;
  return {
    id: operationId(kind, row.id, version),
    kind,
    documentId: row.id,
    version: BigInt(version),
    status,
    stage: stage ?? '',
    progress: status === 'ready' || status === 'deleted' ? 1 : progress,
    done,
    ...(error ? { error: toError(error) } : {}),
    ...(row.receipt ? { receipt: row.receipt as never } : {}),
  };
}

function ingestionStatus(version: number, { version: newest, live_version: live, status }: DocumentRow): string {
  if (newest > version && live !== version) return 'superseded';
  const isLive = live !== null && live >= version;
  return isLive && status !== 'deleting' && status !== 'deleted' ? 'ready' : status;
}

/** A deletion of an id that is used again. */
export const toPastDeletion = ({ documentId, version, receipt }: Deletion): OperationInit => ({
  id: operationId('deletion', documentId, version),
  kind: 'deletion',
  documentId,
  version: BigInt(version),
  status: 'deleted',
  progress: 1,
  done: true,
  ...(receipt ? { receipt: { ...receipt } } : {}),
});
