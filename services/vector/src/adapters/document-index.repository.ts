import { Injectable } from '@nestjs/common';
import type { AccessList } from '@ragmesh/observability';
import type { SqlTransaction } from '@ragmesh/postgres';

/** A document of a tenant. */
export interface DocumentKey {
  readonly tenant: string;
  readonly documentId: string;
}

/** What the index knows of a document. */
export interface DocumentState {
  readonly collection: string;
  readonly visibleVersion: number | null;
  /** Events of versions up to this one are late and change nothing, but see {@link isDead}. */
  readonly deadVersion: number;
  /** Whether it is deleted, and nothing newer came since. */
  readonly tombstoned: boolean;
  /** The one readers see of the collection that was asked with. */
  readonly generation: number;
  readonly access: AccessList;
  readonly accessRevision: number;
}

/** What vectors are: only those of one length and one model can be compared. */
export interface VectorKind {
  readonly dimension: number;
  /** `name@revision` */
  readonly model: string;
}

/** The same, with what a batch that comes in must fit. */
export interface MeasuredState extends DocumentState {
  /** What that generation's vectors are; null while it holds none. May be of just before the lock was got. */
  readonly held: VectorKind | null;
}

const LIVE = `coalesce((
  SELECT generation FROM index_generation g WHERE g.tenant = $1 AND g.collection = $3 AND g.live), 0)`;

const LOCK = `
  INSERT INTO document_index (tenant, document_id, collection) VALUES ($1, $2, $3)
  ON CONFLICT (tenant, document_id) DO UPDATE SET updated_at = now()
  RETURNING collection, visible_version AS "visibleVersion", dead_version AS "deadVersion",
    tombstoned_at IS NOT NULL AS tombstoned, access, access_revision AS "accessRevision", ${LIVE} AS generation`;

const LOCK_MEASURED = `${LOCK}, (
  SELECT jsonb_build_object('dimension', octet_length(vector) / 4, 'model', model) FROM point p
  WHERE p.tenant = $1 AND p.collection = $3 AND p.generation = ${LIVE}
  ORDER BY p.tenant, p.collection, p.document_id, p.version, p.ordinal LIMIT 1) AS held`;

const HOLD = 'SELECT FROM document_index WHERE tenant = $1 AND document_id = $2 FOR UPDATE';

const RESERVE = `
  INSERT INTO document_index (tenant, document_id, collection) VALUES ($1, $2, '') ON CONFLICT DO NOTHING`;

/** Whoever writes a row of the key waits for the transaction nevertheless. */
const UNRESERVE = 'DELETE FROM document_index WHERE tenant = $1 AND document_id = $2';

/** A document made anew under the same id may have points and no visible version yet: it lives. */
const BURY = `
  UPDATE document_index d SET dead_version = greatest(dead_version, $3),
    visible_version = CASE WHEN visible_version > $3 THEN visible_version END,
    tombstoned_at = CASE WHEN visible_version > $3 OR EXISTS (
      SELECT FROM point p WHERE p.tenant = d.tenant AND p.collection = d.collection
        AND p.document_id = d.document_id AND p.version > $3) THEN NULL ELSE now() END
  WHERE tenant = $1 AND document_id = $2`;

/**
 * Whether a version was deleted or undone, or is older than one that was and has nothing to come any more. The one readers see
 * never is: an update that was undone after it leaves it be.
 */
export function isDead(version: number, { deadVersion, visibleVersion }: DocumentState): boolean {
  return version <= deadVersion && version !== visibleVersion;
}

/** Which version of a document readers see, and which versions are dead. */
@Injectable()
export class DocumentIndexRepository {
  /** The state, locked until the transaction ends; a document not seen before gets its row here. */
  async lock(tx: SqlTransaction, { tenant, documentId }: DocumentKey, collection: string): Promise<DocumentState> {
    const { rows } = await tx.query<DocumentState>(LOCK, [tenant, documentId, collection]);
    return rows[0]!;
  }

  /** As {@link lock}, for a batch that comes in. */
  async lockMeasured(
    tx: SqlTransaction,
    { tenant, documentId }: DocumentKey,
    collection: string,
  ): Promise<MeasuredState> {
    const { rows } = await tx.query<MeasuredState>(LOCK_MEASURED, [tenant, documentId, collection]);
    return rows[0]!;
  }

  /** Locks what is known of a document until the transaction ends; a document not seen before is left unknown, and locked, too. */
  async hold(tx: SqlTransaction, { tenant, documentId }: DocumentKey): Promise<void> {
    const key = [tenant, documentId];
    if ((await tx.query(HOLD, key)).rowCount > 0) return;
    // A row that another transaction is just writing is not seen, but it is waited for by one of the same key.
    const isUnknown = (await tx.query(RESERVE, key)).rowCount > 0;
    await tx.query(isUnknown ? UNRESERVE : HOLD, key);
  }

  /** The version readers see, as the transaction sees it. */
  async visibleVersion(tx: SqlTransaction, { tenant, documentId }: DocumentKey): Promise<number | null> {
    const sql = 'SELECT visible_version AS version FROM document_index WHERE tenant = $1 AND document_id = $2';
    const { rows } = await tx.query<{ version: number | null }>(sql, [tenant, documentId]);
    return rows[0]?.version ?? null;
  }

  /** Lets a deleted document live again, in the collection its new version came with. */
  revive(tx: SqlTransaction, { tenant, documentId }: DocumentKey, collection: string): void {
    const sql =
      'UPDATE document_index SET collection = $3, tombstoned_at = NULL WHERE tenant = $1 AND document_id = $2';
    tx.write(sql, [tenant, documentId, collection]);
  }

  /** @param version what readers see from the commit on. */
  show(tx: SqlTransaction, { tenant, documentId }: DocumentKey, version: number): void {
    const sql = 'UPDATE document_index SET visible_version = $3 WHERE tenant = $1 AND document_id = $2';
    tx.write(sql, [tenant, documentId, version]);
  }

  /**
   * Makes a version dead, unless readers see it. Nothing comes in any more of those before it that they do not see either; one that
   * is complete may yet be shown.
   */
  kill(tx: SqlTransaction, { tenant, documentId }: DocumentKey, version: number): void {
    const sql =
      'UPDATE document_index SET dead_version = greatest(dead_version, $3) WHERE tenant = $1 AND document_id = $2';
    tx.write(sql, [tenant, documentId, version]);
  }

  /** Sets the tombstone: from the commit on no version up to `deadVersion` is seen or comes back. */
  bury(tx: SqlTransaction, { tenant, documentId }: DocumentKey, deadVersion: number): void {
    tx.write(BURY, [tenant, documentId, deadVersion]);
  }
}
