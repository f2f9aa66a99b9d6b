import { setTimeout as delay } from 'node:timers/promises';
import { RagmeshError } from '@ragmesh/errors';
import { asStorageError, type Database } from '@ragmesh/postgres';
import type pg from 'pg';

/** Any constant that no other lock of vector's database takes. */
const ADVISORY_LOCK = 7_246_375;
const RETRY_MS = 250;

/**
 * The right to be the only copy of vector on this database. The embedded store answers from the memory of its process, which
 * another copy's writes do not reach: with two of them, searches would miss documents and say nothing. The lock belongs to a
 * session, so it ends with its process, however that ends.
 */
export class SingleCopy {
  #client: pg.PoolClient | undefined;
  #released = false;

  constructor(private readonly database: Database) {}

  /**
   * Waits for a copy that is about to end, and for a database that is slow to let anybody in. A lock that is lost with its connection
   * is claimed again in the background.
   * @throws RagmeshError CONFIG.INVALID when the other copy is still there after `withinMs`, STORAGE.UNAVAILABLE when the database is
   *   not.
   */
  async claim(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!this.#released) {
      const failure = await this.#tryClaim().then(
        (isHeld) => (isHeld ? undefined : anotherCopy()),
        (error: unknown) => asStorageError(error),
      );
      if (failure === undefined) return;
      if (performance.now() > deadline) throw failure;
      await delay(RETRY_MS, undefined, { ref: false });
    }
  }

  release(): void {
    this.#released = true;
    this.#client?.release(true);
    this.#client = undefined;
  }

  async #tryClaim(): Promise<boolean> {
    const client = await this.database.pool.connect();
    const sql = 'SELECT pg_try_advisory_lock($1) AS held';
    const { rows } = await client.query<{ held: boolean }>(sql, [ADVISORY_LOCK]).catch((error: unknown) => {
      client.release(true);
      throw error;
    });
    if (!rows[0]!.held || this.#released) {
      client.release(true);
      return false;
    }
    this.#client = client;
    client.once('end', () => this.#claimAgain());
    return true;
  }

  #claimAgain(): void {
    if (this.#released) return;
    this.#client?.release(true);
    this.#client = undefined;
    void this.claim(Infinity);
  }
}

const anotherCopy = (): RagmeshError =>
  new RagmeshError(
    'CONFIG.INVALID',
    'Another copy of vector uses this database. Run one, or set VECTOR_STORE to qdrant or pgvector.',
    { field: 'VECTOR_STORE' },
  );
