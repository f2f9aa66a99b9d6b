import type { Database } from '@ragmesh/postgres';

const LEASE_SECONDS = 10;
/** While another one has it, it is asked for no more often than this: who waits for it may have much to commit. */
const ASK_AGAIN_MS = 1_000;

/**
 * Takes it, or keeps it under the same token. The session it is bound to is always the one that asked last: a pool closes what it
 * does not use, and an end of that session must mean an end of the process.
 */
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
  #token: number | undefined;
  #askAgainAt = 0;
  #asking: Promise<number | undefined> | undefined;

  constructor(
    private readonly database: Database,
    private readonly holder: string,
  ) {}

  /** The fencing token when this relay may publish now, else undefined. Renews at a third of the lease. */
  async token(): Promise<number | undefined> {
    if (performance.now() < this.#askAgainAt) return this.#token;
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  /** The token turned out to be worth nothing: the next call asks for a new one. */
  lost(): void {
    this.#token = undefined;
    this.#askAgainAt = 0;
  }

  /** Lets the next relay take over at once. */
  async release(): Promise<void> {
    this.lost();
    await this.database.query(`UPDATE outbox_lease SET expires_at = '-infinity' WHERE holder = $1`, [this.holder]);
  }

  async #ask(): Promise<number | undefined> {
    const now = performance.now();
    const { rows } = await this.database.query<{ token: number }>(ACQUIRE, [this.holder, LEASE_SECONDS]);
    this.#token = rows[0]?.token;
    this.#askAgainAt = now + (this.#token === undefined ? ASK_AGAIN_MS : (LEASE_SECONDS * 1000) / 3);
    return this.#token;
  }
}
