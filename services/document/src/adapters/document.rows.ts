import type { AccessList } from '@ragmesh/observability';
import type { ListedPlace } from '@ragmesh/postgres';
import type { SagaError } from '@ragmesh/saga';
import type { Receipt } from '../sagas/deletion.saga.js';

export type DocumentStatus = 'uploaded' | 'processing' | 'ready' | 'failed' | 'deleting' | 'deleted';
export type UploadKind = 'file' | 'text' | 'chunks';

/** A document with its newest version, titled as readers see it, as read from the database. */
export interface DocumentRow {
  readonly id: string;
  readonly collection: string;
  /** With the metadata, of the version readers see; of the newest while they see none. */
  readonly title: string;
  readonly status: DocumentStatus;
  readonly stage: string | null;
  readonly progress: number;
  readonly attempt: number;
  readonly version: number;
  readonly live_version: number | null;
  /** Set while an id of our making stands for these bytes. */
  readonly dedup_key: string | null;
  readonly error: SagaError | null;
  readonly metadata: Record<string, unknown>;
  readonly receipt: Receipt | null;
  readonly access: AccessList;
  readonly access_revision: number;
  /** The list of its collection; both must admit a reader. */
  readonly collection_access: AccessList;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly chunks: number;
}

/** A document with its place in a list, to the microsecond. */
export type ListedRow = DocumentRow & ListedPlace;

export interface VersionRow {
  readonly document_id: string;
  readonly version: number;
  readonly kind: UploadKind;
  readonly file_name: string;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly sha256: string;
  readonly blob_key: string;
  readonly text_blob_key: string | null;
  readonly chunk_size: number;
  readonly chunk_overlap: number;
  readonly chunks: number;
}

/** A document together with the version readers see, or the newest while they see none, and the generation they see it in. */
export type ShownDocument = DocumentRow & {
  /** Null when its rows are gone. */
  readonly shown: VersionRow | null;
  readonly generation: number;
};

/** A document together with its newest upload, titled as that one. */
export type UploadedRow = DocumentRow & Omit<VersionRow, 'document_id'>;
