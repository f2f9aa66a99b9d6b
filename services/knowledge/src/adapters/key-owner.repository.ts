import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { Database, type SqlTransaction } from '@ragmesh/postgres';

/** Whose a key is to be. */
export interface OwnerChoice {
  readonly tenant: string;
  /** Subject of whoever makes it. */
  readonly createdBy: string;
  /** Undefined for the maker's own. */
  readonly owner: string | undefined;
}

/** Owners of API keys. A key made with a key belongs to that one's owner, so that none outlives him. */
@Injectable()
export class KeyOwnerRepository {
  constructor(private readonly database: Database) {}

  /**
   * Whose the key will be; nobody can remove him until the transaction ends.
   * @throws RagmeshError AUTH.INVALID when it is made with a key that no longer holds; USER.REMOVED when somebody who was removed
   * makes it for himself. Made by another, it lets him in again.
   */
  async admit(tx: SqlTransaction, { tenant, createdBy, owner: chosen }: OwnerChoice): Promise<string> {
    const maker = await makerOf(tx, createdBy);
    const owner = chosen ?? maker;
    await lock(tx, tenant, owner); // before any row, as a removal does: neither can wait for the other in a circle
    await refuseRevoked(tx, createdBy);
    const removed = await tx.query('SELECT 1 FROM removed_owner WHERE tenant = $1 AND owner = $2', [tenant, owner]);
    if (removed.rowCount === 0) return owner;
    if (owner === maker)
      throw new RagmeshError('USER.REMOVED', 'Who was removed can make no keys for himself.', { field: 'owner' });
    tx.write('DELETE FROM removed_owner WHERE tenant = $1 AND owner = $2', [tenant, owner]);
    return owner;
  }

  /** Revokes every key of the owner. @returns the ids of those that held until now. */
  remove(tenant: string, owner: string, removedBy: string): Promise<string[]> {
    return this.database.transaction(async (tx) => {
      await lock(tx, tenant, owner);
      tx.write(
        `INSERT INTO removed_owner (tenant, owner, removed_by) VALUES ($1, $2, $3)
         ON CONFLICT (tenant, owner) DO NOTHING`,
        [tenant, owner, removedBy],
      );
      const { rows } = await tx.query<{ id: string }>(
        `UPDATE api_key SET revoked_at = now()
         WHERE tenant = $1 AND coalesce(owner, created_by) = $2 AND revoked_at IS NULL RETURNING id`,
        [tenant, owner],
      );
      return rows.map(({ id }) => id);
    });
  }
}

/** Whoever makes a key: the owner of the key it is made with, else the subject itself, as for the key from the configuration. */
async function makerOf(tx: SqlTransaction, createdBy: string): Promise<string> {
  const sql = 'SELECT coalesce(owner, created_by) AS owner FROM api_key WHERE id = $1';
  const { rows } = await tx.query<{ owner: string }>(sql, [keyIdOf(createdBy)]);
  return rows[0]?.owner ?? createdBy;
}

/** Gateways remember keys for some seconds; one that was revoked meanwhile must not leave another behind. */
async function refuseRevoked(tx: SqlTransaction, createdBy: string): Promise<void> {
  const { rows } = await tx.query<{ holds: boolean }>(
    `SELECT revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AS holds
     FROM api_key WHERE id = $1 FOR SHARE`,
    [keyIdOf(createdBy)],
  );
  if (rows[0]?.holds === false)
    throw new RagmeshError('AUTH.INVALID', 'The credential does not hold.', { field: 'Authorization' });
}

/** Null for who is no key. */
const keyIdOf = (subject: string): string | null => (subject.startsWith('key:') ? subject.slice('key:'.length) : null);

/** Until the transaction ends. */
async function lock(tx: SqlTransaction, tenant: string, owner: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`key-owner ${tenant} ${owner}`]);
}
