import type { Database } from '@ragmesh/postgres';

const LEASE_SECONDS = 10;

const RENEW = `
  UPDATE outbox_lease SET expires_at = now() + $2 * interval '1 second'
  WHERE holder = $1 AND expires_at > now() RETURNING token`;

const ACQUIRE = `
  UPDATE outbox_lease
  SET token = CASE WHEN holder = $1 AND expires_at > now() THEN token ELSE token + 1 END,
      holder = $1, expires_at = now() + $2 * interval '1 second', session_pid = me.pid, session_start = me.backend_start
  FROM pg_stat_activity AS me
  WHERE me.pid = pg_backend_pid() AND (holder = $1 OR expires_at <= now() OR NOT EXISTS (
    SELECT FROM pg_stat_activity AS other WHERE other.pid = session_pid AND other.backend_start = session_start))
  RETURNING token`;

/**
 * The right to publish, held by one relay per database at a time. Time is the database's, and the token grows with each
 * holder, so one that was frozen past its lease can no longer mark rows. A holder whose process died is replaced at once,
 * because its session ends with it.
 */
export class RelayLease {
  #token: string | undefined;
  #renewAt = 0;

  constructor(
    private readonly database: Database,
    private readonly holder: string,
  ) {}

  /** The fencing token when this relay may publish now, else undefined. Renews at a third of the lease. */
  async token(): Promise<string | undefined> {
    const now = performance.now();
    if (this.#token !== undefined && now < this.#renewAt) return this.#token;
    const values = [this.holder, LEASE_SECONDS];
    const renewed = this.#token === undefined ? [] : (await this.database.query<{ token: string }>(RENEW, values)).rows;
    const rows = renewed.length > 0 ? renewed : (await this.database.query<{ token: string }>(ACQUIRE, values)).rows;
    this.#token = rows[0]?.token;
    this.#renewAt = now + (LEASE_SECONDS * 1000) / 3;
    return this.#token;
  }

  /** Lets the next relay take over at once. */
  async release(): Promise<void> {
    this.#token = undefined;
    await this.database.query(`UPDATE outbox_lease SET expires_at = '-infinity' WHERE holder = $1`, [this.holder]);
  }
}
