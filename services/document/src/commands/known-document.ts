import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { currentPrincipals, type AccessList } from '@ragmesh/observability';
import type { OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { CollectionAccess } from '../adapters/collection-access.repository.js';
import { DocumentRepository, isReadableByCaller } from '../adapters/document.repository.js';
import type { DocumentRow } from '../adapters/document.rows.js';
import { ChangeDocumentAccess } from './change-document-access.js';

/** Of an upload, what tells which document it is of. */
export interface UploadKey {
  readonly tenant: string;
  /** Empty: whichever has the same bytes. */
  readonly id: string;
  readonly collection: string;
  readonly dedup: string;
  readonly sha256: string;
  readonly replace: boolean;
  /** Who may read it; undefined: as before. */
  readonly access: AccessList | undefined;
}

/** The document an upload is of. */
export interface Known {
  /** Its row, also when it is a tombstone. */
  readonly row: DocumentRow | undefined;
  /** The row of a document that is there. */
  readonly alive: DocumentRow | undefined;
  /** Whether it has these bytes already, so that there is nothing to do. */
  readonly isSame: boolean;
}

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
   * @throws RagmeshError COLLECTION.NOT_FOUND for one the caller may not read, DOCUMENT.ID_TAKEN, DOCUMENT.DELETING.
   */
  async find(tx: SqlTransaction, publish: OutboxWriter['publish'], upload: UploadKey): Promise<Known> {
    const { tenant, collection, replace, access } = upload;
    const [isAdmitted, row] = await Promise.all([
      this.collections.admits(tenant, collection, currentPrincipals(), tx),
      upload.id ? this.documents.findLocked(tx, tenant, upload.id) : this.#ofSameBytes(tx, upload),
    ]);
    if (!isAdmitted)
      throw new RagmeshError('COLLECTION.NOT_FOUND', `There is no collection "${collection}".`, { id: collection });
    if (!row || row.status === 'deleted') return { row, alive: undefined, isSame: false };
    // An id cannot be given twice; what is behind it is told to its readers only.
    if (!isReadableByCaller(row)) throw idTaken(row.id);
    const isSame = hasSameBytes(row, upload);
    if (!isSame && !replace) throw idTaken(row.id);
    if (row.collection !== collection) throw isElsewhere(row);
    if (replace && access !== undefined) await this.changing.change(tx, publish, row, access);
    return { row, alive: row, isSame };
  }

  /** Whoever may not read it gets a document of their own of the same bytes. */
  async #ofSameBytes(tx: SqlTransaction, { tenant, collection, dedup }: UploadKey): Promise<DocumentRow | undefined> {
    const { rows } = await tx.query<{ id: string }>(
      `SELECT id FROM document WHERE tenant = $1 AND collection = $2 AND dedup_key = $3`,
      [tenant, collection, dedup],
    );
    const row = rows[0] && (await this.documents.findLocked(tx, tenant, rows[0].id));
    return row && isReadableByCaller(row) ? row : undefined;
  }
}

/** @throws RagmeshError DOCUMENT.DELETING: neither the old document nor a new one could answer for these bytes. */
function hasSameBytes({ id, status, sha256, collection }: DocumentRow, upload: UploadKey): boolean {
  if (status === 'deleting') throw new RagmeshError('DOCUMENT.DELETING', `Document "${id}" is being deleted.`, { id });
  if (!upload.id) return true; // found by its bytes
  return sha256 === upload.sha256 && collection === upload.collection && status !== 'failed';
}

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
  new RagmeshError('DOCUMENT.ID_TAKEN', `There is a document "${id}" with other content.`, { field: 'id', id });
