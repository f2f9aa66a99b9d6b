import { Injectable } from '@nestjs/common';
import type { SqlTransaction } from '@ragmesh/postgres';

/** What nobody is to be told of any more: a document, or with an empty id all of a collection. */
export interface Withdrawal {
  readonly tenant: string;
  readonly collection: string;
  readonly documentId: string;
}

/** What an answer that is about to be kept was made from. */
export interface Origin {
  readonly tenant: string;
  readonly collection: string;
  readonly documentIds: readonly string[];
  /** When its sources began to be read, in ms of `performance.now()`. */
  readonly readAt: number;
}

/** Longer than any answer takes to be written, and sources are kept for it. */
const REMEMBERED_MS = 86_400_000;

const NOTE = `
  INSERT INTO withdrawal (tenant, collection, document_id, at) VALUES ($1, $2, $3, clock_timestamp())
  ON CONFLICT (tenant, collection, document_id) DO UPDATE SET at = clock_timestamp()`;

/** The text goes, and what it cites; that something was answered stays, so that the conversation still reads in order. */
const TAKE_BACK = `UPDATE conversation_turn SET text = '', document_ids = '{}', withdrawn = true WHERE tenant = $1 AND NOT withdrawn`;

/** From the transaction's beginning: what it waited for since then, the lock above all, makes nothing older. */
const KNOWN = `
  SELECT FROM withdrawal WHERE tenant = $1 AND at > now() - $4 * interval '1 millisecond'
    AND (document_id = ANY($3::text[]) OR (document_id = '' AND collection = $2)) LIMIT 1`;

const HOLD = 'SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))';

/**
 * The advisory lock of a tenant's withdrawals. Whoever takes back holds it alone, whoever keeps answers shares it: each would
 * otherwise miss what the other has not committed yet.
 */
export const withdrawalsOf = (tenant: string): string => `withdrawals/${tenant}`;

/** Removes what kept answers say of documents that are gone. */
@Injectable()
export class WithdrawalRepository {
  /**
   * Takes back every kept answer that cites it, and notes it for those that are being written.
   * @param tx holds {@link withdrawalsOf} the tenant.
   */
  takeBack(tx: SqlTransaction, { tenant, collection, documentId }: Withdrawal): void {
    tx.write(NOTE, [tenant, collection, documentId]);
    tx.write(`DELETE FROM withdrawal WHERE at < now() - $1 * interval '1 millisecond'`, [REMEMBERED_MS]);
    if (documentId === '') {
      const cites = `${TAKE_BACK} AND collection = $2 AND role = 'assistant' AND document_ids <> '{}'`;
      tx.write(cites, [tenant, collection]);
    } else tx.write(`${TAKE_BACK} AND document_ids && ARRAY[$2::text]`, [tenant, documentId]);
  }

  /** Whether something of it was taken back while it was being written. Until the transaction ends nothing more is. */
  async isTakenBack(tx: SqlTransaction, { tenant, collection, documentIds, readAt }: Origin): Promise<boolean> {
    if (documentIds.length === 0) return false;
    tx.write(HOLD, [withdrawalsOf(tenant)]);
    const ageMs = Math.min(performance.now() - readAt, REMEMBERED_MS); // at least what it was when the transaction began
    const values = [tenant, collection, documentIds, ageMs];
    return (await tx.query(KNOWN, values)).rowCount > 0;
  }
}
