import { createHash } from 'node:crypto';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Database } from '@ragmesh/postgres';
import { PeriodicTask } from '@ragmesh/resilience';

const KEPT = '24 hours';
const CLEAN_UP_MS = 600_000;

/** One key of one caller: what another sends under the same name is another key. */
export interface IdempotencyKey {
  readonly tenant: string;
  readonly subject: string;
  readonly key: string;
}

/** What stands in the row; a digest, since a subject may be longer than an index takes. */
const stored = ({ subject, key }: IdempotencyKey): string =>
  createHash('sha256')
    .update(JSON.stringify([subject, key]))
    .digest('base64url');

/** What the first request with a key was answered with. */
export interface StoredResponse {
  readonly fingerprint: Buffer;
  readonly status: number;
  readonly response: unknown;
}

export type Claim =
  | { readonly state: 'won'; readonly seed: string }
  | { readonly state: 'busy' }
  | ({ readonly state: 'done' } & StoredResponse);

/**
 * Keys and responses. A claim holds for a lease, by the database's clock, so that a process that dies leaves no key locked;
 * every write names the claim's owner, so that one who lost the lease cannot overwrite his successor. The seed is the same for all
 * who claim a key until it expires, so that what one of them made without saying so is found by the next.
 */
@Injectable()
export class IdempotencyStore implements OnModuleInit, OnModuleDestroy {
  // What is not removed now is removed the next time.
  readonly #cleanUps = new PeriodicTask(() => this.removeExpired().catch(() => undefined), CLEAN_UP_MS);

  constructor(private readonly database: Database) {}

  onModuleInit(): void {
    this.#cleanUps.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#cleanUps.stop();
  }

  /** @param owner a UUID of this request's own. */
  async claim(of: IdempotencyKey, owner: string, leaseSeconds: number): Promise<Claim> {
    const [tenant, key] = [of.tenant, stored(of)];
    const won = await this.database.query<{ seed: string }>(
      `INSERT INTO idempotency_key AS k (tenant, key, owner, seed, leased_until, expires_at)
       VALUES ($1, $2, $3, $3, now() + make_interval(secs => $4), now() + interval '${KEPT}')
       ON CONFLICT (tenant, key) DO UPDATE
         SET owner = excluded.owner, leased_until = excluded.leased_until, expires_at = excluded.expires_at,
             fingerprint = NULL, status = NULL, response = NULL,
             seed = CASE WHEN k.expires_at < now() THEN excluded.seed ELSE coalesce(k.seed, excluded.seed) END
         WHERE k.expires_at < now() OR (k.status IS NULL AND k.leased_until < now())
       RETURNING seed`,
      [tenant, key, owner, leaseSeconds],
    );
    if (won.rows[0]) return { state: 'won', seed: won.rows[0].seed };
    const { rows } = await this.database.query<StoredResponse>(
      'SELECT fingerprint, status, response FROM idempotency_key WHERE tenant = $1 AND key = $2 AND status IS NOT NULL',
      [tenant, key],
    );
    return rows[0] ? { state: 'done', ...rows[0] } : { state: 'busy' };
  }

  async renew(of: IdempotencyKey, owner: string, leaseSeconds: number): Promise<void> {
    await this.database.query(
      `UPDATE idempotency_key SET leased_until = now() + make_interval(secs => $4)
       WHERE tenant = $1 AND key = $2 AND owner = $3 AND status IS NULL`,
      [of.tenant, stored(of), owner, leaseSeconds],
    );
  }

  async complete(of: IdempotencyKey, owner: string, { fingerprint, status, response }: StoredResponse): Promise<void> {
    await this.database.query(
      `UPDATE idempotency_key SET fingerprint = $4, status = $5, response = $6, expires_at = now() + interval '${KEPT}'
       WHERE tenant = $1 AND key = $2 AND owner = $3 AND status IS NULL`,
      [of.tenant, stored(of), owner, fingerprint, status, JSON.stringify(response)],
    );
  }

  /** Gives the key back after a failure: the same request may be tried again. Its seed stays, because not every failure undid the work. */
  async release(of: IdempotencyKey, owner: string): Promise<void> {
    await this.database.query(
      `UPDATE idempotency_key SET leased_until = '-infinity'
       WHERE tenant = $1 AND key = $2 AND owner = $3 AND status IS NULL`,
      [of.tenant, stored(of), owner],
    );
  }

  private async removeExpired(): Promise<void> {
    await this.database.query('DELETE FROM idempotency_key WHERE expires_at < now()');
  }
}
