import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { Database, type SqlTransaction } from '@ragmesh/postgres';

/** Whose a key is to be. */
export interface OwnerChoice {
  /** Of the key. */
  readonly tenant: string;
  /** Subject of whoever makes it. */
  readonly createdBy: string;
  /** His tenant; another than the key's for operators. */
  readonly makerTenant: string;
  /** Undefined for the maker's own. */
  readonly owner: string | undefined;
}

/** An owner of keys; the same name in two tenants is two. */
export interface KeyOwner {
  readonly tenant: string;
  readonly name: string;
}

/** What a key gets from its maker. */
export interface Admission {
  readonly owner: KeyOwner;
  /** After which it cannot hold: when the key it is made with expires. */
  readonly endsBy: Date | null;
}

/** Owners of API keys. A key made with a key belongs to that one's owner, unless another is named, so that none outlives him. */
@Injectable()
export class KeyOwnerRepository {
  constructor(private readonly database: Database) {}

  /**
   * Whose the key will be, and how long at most it holds; nobody can remove him until the transaction ends.
   * @throws RagmeshError AUTH.INVALID when it is made with a key that no longer holds; USER.REMOVED when somebody who was removed
   * makes it for himself. Made by another, it lets him in again.
   */
  async admit(tx: SqlTransaction, { tenant, createdBy, makerTenant, owner: chosen }: OwnerChoice): Promise<Admission> {
    const maker = await makerOf(tx, { tenant: makerTenant, name: createdBy });
    // Who names himself is himself, wherever the key is for.
    const owner = chosen === undefined || chosen === maker.name ? maker : { tenant, name: chosen };
    const tenants = [...new Set([owner.tenant, tenant])].toSorted();
    // Before any row, and in one order, as a removal does: neither can wait for the other in a circle.
    for (const place of tenants) await lock(tx, { tenant: place, name: owner.name });
    const endsBy = await endOf(tx, createdBy);
    const known = 'SELECT 1 FROM removed_owner WHERE tenant = ANY($1) AND owner = $2';
    const removed = await tx.query(known, [tenants, owner.name]);
    if (removed.rowCount === 0) return { owner, endsBy };
    if (owner === maker)
      throw new RagmeshError('USER.REMOVED', 'Who was removed can make no keys for himself.', { field: 'owner' });
    tx.write('DELETE FROM removed_owner WHERE tenant = $1 AND owner = $2', [owner.tenant, owner.name]);
    return { owner, endsBy };
  }

  /** Revokes every key of the owner, his own for other tenants included. @returns the ids of those that held until now. */
  remove(tenant: string, owner: string, removedBy: string): Promise<string[]> {
    return this.database.transaction(async (tx) => {
      await lock(tx, { tenant, name: owner });
      tx.write(
        `INSERT INTO removed_owner (tenant, owner, removed_by) VALUES ($1, $2, $3)
         ON CONFLICT (tenant, owner) DO NOTHING`,
        [tenant, owner, removedBy],
      );
      const { rows } = await tx.query<{ id: string }>(
        `UPDATE api_key SET revoked_at = now()
         WHERE (tenant = $1 OR owner_tenant = $1) AND coalesce(owner, created_by) = $2 AND revoked_at IS NULL RETURNING id`,
        [tenant, owner],
      );
      return rows.map(({ id }) => id);
    });
  }

  /** Whether he was removed, and nobody made him a key since. */
  async isRemoved(tenant: string, owner: string): Promise<boolean> {
    const sql = 'SELECT FROM removed_owner WHERE tenant = $1 AND owner = $2';
    return (await this.database.query(sql, [tenant, owner])).rowCount > 0;
  }
}

/** Whoever makes a key: the owner of the key it is made with, else the subject itself, as for the key from the configuration. */
async function makerOf(tx: SqlTransaction, subject: KeyOwner): Promise<KeyOwner> {
  const sql = `SELECT coalesce(owner, created_by) AS name, coalesce(owner_tenant, tenant) AS tenant FROM api_key WHERE id = $1`;
  return (await tx.query<KeyOwner>(sql, [keyIdOf(subject.name)])).rows[0] ?? subject;
}

/**
 * When the key ends that another is made with; null for who is no key. Gateways remember keys for some seconds; one that was
 * revoked meanwhile must not leave another behind.
 */
async function endOf(tx: SqlTransaction, createdBy: string): Promise<Date | null> {
  const { rows } = await tx.query<{ holds: boolean; expires_at: Date | null }>(
    `SELECT revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AS holds, expires_at
     FROM api_key WHERE id = $1 FOR SHARE`,
    [keyIdOf(createdBy)],
  );
  if (rows[0]?.holds === false)
    throw new RagmeshError('AUTH.INVALID', 'The credential does not hold.', { field: 'Authorization' });
  return rows[0]?.expires_at ?? null;
}

/** Null for who is no key. */
const keyIdOf = (subject: string): string | null => (subject.startsWith('key:') ? subject.slice('key:'.length) : null);

/** Until the transaction ends. */
async function lock(tx: SqlTransaction, { tenant, name }: KeyOwner): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`key-owner ${tenant} ${name}`]);
}
