import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { currentPrincipals, type AccessList } from '@ragmesh/observability';
import type { OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { CollectionAccess } from '../adapters/collection-access.repository.js';
import { DocumentRepository, isReadableByCaller } from '../adapters/document.repository.js';
import type { DocumentRow, UploadKind, VersionRow } from '../adapters/document.rows.js';
import { titleFrom } from '../domain/upload.js';
import { ChangeDocumentAccess, isSameList } from './change-document-access.js';

/** Of an upload, what tells which document it is of, and whether it says anything new. */
export interface UploadKey {
  readonly tenant: string;
  /** Empty: whichever has the same bytes. */
  readonly id: string;
  readonly collection: string;
  readonly dedup: string;
  readonly sha256: string;
  readonly kind: UploadKind;
  readonly title: string;
  readonly fileName: string;
  readonly metadata: Record<string, unknown>;
  readonly chunking: { readonly size: number; readonly overlap: number };
  readonly replace: boolean;
  /** Who may read it; undefined: as before. */
  readonly access: AccessList | undefined;
  /** What it and its repeats are told by; null: nothing. */
  readonly madeBy: string | null;
}

/** The document an upload is of. */
export interface Known {
  /** Its row, also when it is a tombstone. */
  readonly row: DocumentRow | undefined;
  /** The row of a document that is there. */
  readonly alive: DocumentRow | undefined;
  /** Whether it is what the upload would make of it, so that there is nothing to do. */
  readonly isSame: boolean;
}

/** What says how the bytes of a version are read and cut. */
type Reading = Pick<VersionRow, 'kind' | 'file_name' | 'chunk_size' | 'chunk_overlap'>;

/** The newest upload of a document, whichever one readers see. */
type Newest = Reading & Pick<DocumentRow, 'title' | 'metadata'>;

const NEWEST = `
  SELECT v.kind, v.file_name, v.chunk_size, v.chunk_overlap, d.title, d.metadata
  FROM document d JOIN document_version v ON v.tenant = d.tenant AND v.document_id = d.id AND v.version = d.version
  WHERE d.tenant = $1 AND d.id = $2`;

/** Finds what an upload is of, as far as its caller may know of it. */
@Injectable()
export class KnownDocument {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly collections: CollectionAccess,
    private readonly changing: ChangeDocumentAccess,
  ) {}

  /**
   * Locks the document against deletion, and gives it the list that comes with a replacement.
   * @throws RagmeshError COLLECTION.NOT_FOUND for one the caller may not read, DEPENDENCY.UNAVAILABLE while it is being deleted,
   *   DOCUMENT.ID_TAKEN, DOCUMENT.DELETING.
   */
  async find(tx: SqlTransaction, publish: OutboxWriter['publish'], upload: UploadKey): Promise<Known> {
    const { tenant, collection, replace, access } = upload;
    const [isAdmitted, made, row] = await Promise.all([
      this.collections.admitsUpload(tx, tenant, collection, currentPrincipals()),
      upload.madeBy === null ? undefined : this.#madeBefore(tx, tenant, upload.madeBy),
      upload.id ? this.documents.findLocked(tx, tenant, upload.id) : this.#ofSameBytes(tx, upload),
    ]);
    if (!isAdmitted)
      throw new RagmeshError('COLLECTION.NOT_FOUND', `There is no collection "${collection}".`, { id: collection });
    if (made) return { row: made, alive: made, isSame: true };
    if (!row || row.status === 'deleted') return { row, alive: undefined, isSame: false };
    // An id cannot be given twice; what is behind it is told to its readers only.
    if (!isReadableByCaller(row)) throw idTaken(row.id);
    const isSame = await this.#isSame(tx, row, upload);
    if (!replace && !(isSame && keepsList(row, upload))) throw idTaken(row.id);
    if (row.collection !== collection) throw isElsewhere(row);
    if (replace && access !== undefined) this.changing.change(tx, publish, row, access);
    return { row, alive: row, isSame };
  }

  /** What this very upload made when it came before, also when that failed or was deleted since: its repeat makes nothing more. */
  async #madeBefore(tx: SqlTransaction, tenant: string, madeBy: string): Promise<DocumentRow | undefined> {
    const made = 'SELECT id FROM document WHERE tenant = $1 AND made_by = $2';
    const { rows } = await tx.query<{ id: string }>(made, [tenant, madeBy]);
    return rows[0] && this.documents.findLocked(tx, tenant, rows[0].id);
  }

  /** @throws RagmeshError DOCUMENT.DELETING: neither the old document nor a new one could answer for these bytes. */
  async #isSame(tx: SqlTransaction, row: DocumentRow, upload: UploadKey): Promise<boolean> {
    const { id, status, sha256, collection } = row;
    if (status === 'deleting')
      throw new RagmeshError('DOCUMENT.DELETING', `Document "${id}" is being deleted.`, { id });
    if (!upload.id) return true; // found by its bytes
    if (sha256 !== upload.sha256 || collection !== upload.collection || status === 'failed') return false;
    const { rows } = await tx.query<Newest>(NEWEST, [upload.tenant, id]);
    return rows[0] !== undefined && isReadTheSame(rows[0], upload) && isNamedTheSame(rows[0], upload);
  }

  /**
   * Whoever may not read it gets a document of their own of the same bytes. So does who waited for a change of it after which it
   * stands for them no more: they were replaced, failed or went.
   */
  async #ofSameBytes(tx: SqlTransaction, { tenant, collection, dedup }: UploadKey): Promise<DocumentRow | undefined> {
    const { rows } = await tx.query<{ id: string }>(
      `SELECT id FROM document WHERE tenant = $1 AND collection = $2 AND dedup_key = $3`,
      [tenant, collection, dedup],
    );
    const row = rows[0] && (await this.documents.findLocked(tx, tenant, rows[0].id));
    return row?.dedup_key === dedup && isReadableByCaller(row) ? row : undefined;
  }
}

/** Whether the same bytes give the same text and chunks: the name of a file says how it is read. */
const isReadTheSame = (newest: Reading, { kind, fileName, chunking }: UploadKey): boolean =>
  newest.kind === kind &&
  newest.file_name === fileName &&
  newest.chunk_size === chunking.size &&
  newest.chunk_overlap === chunking.overlap;

/** A title that stands in for one gives way to the one found in the file, so it cannot be compared. */
function isNamedTheSame(newest: Newest, { title, fileName, metadata }: UploadKey): boolean {
  const wanted = titleFrom(title, fileName);
  const isTitled = wanted === newest.title || wanted === titleFrom('', fileName);
  return isTitled && isDeepStrictEqual(newest.metadata, JSON.parse(JSON.stringify(metadata)));
}

/** Whoever names no list leaves it as it is. A document found by its bytes has the list they came with. */
const keepsList = (row: DocumentRow, { id, access }: UploadKey): boolean =>
  !id || access === undefined || isSameList(row.access, access);

/** Its points stay where readers find them: a document moves by being deleted and uploaded anew. */
const isElsewhere = ({ id, collection }: DocumentRow): RagmeshError =>
  new RagmeshError(
    'DOCUMENT.ID_TAKEN',
    `Document "${id}" is in collection "${collection}"; name that, or delete it first.`,
    {
      field: 'collection',
      id,
    },
  );

const idTaken = (id: string): RagmeshError =>
  new RagmeshError('DOCUMENT.ID_TAKEN', `There is a document "${id}" with other content or properties.`, {
    field: 'id',
    id,
  });
