import type { Database } from '@ragmesh/postgres';

/**
 * The youngest row there is, and all who may still add rows: who inserts locks the table before its rows take their ids, and until
 * others see them. The row is of the statement's snapshot, so of an id below it the writer is among these, or has ended.
 */
const WRITERS = `
  SELECT (SELECT max(id) FROM outbox)::float8 AS youngest, ARRAY(
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'outbox'::regclass AND mode = 'RowExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS writers`;

interface Look {
  readonly youngest: number;
  readonly writers: readonly string[];
}

/**
 * Up to which row an outbox is settled. Rows take their ids before they commit, so one can turn up below others that were read;
 * once all who wrote at a time have ended, none does any more below the youngest of that time.
 */
export class SettledRows {
  #upTo = 0;
  /** Some of whose writers had not ended yet. */
  #open: Look | undefined;

  constructor(private readonly database: Database) {}

  /** @returns an id: every row up to it that ever commits is seen by what is read from now on. */
  async upTo(): Promise<number> {
    const { rows } = await this.database.query<{ youngest: number | null; writers: string[] }>(WRITERS);
    const look = { youngest: rows[0]?.youngest ?? 0, writers: rows[0]?.writers ?? [] };
    const open = this.#open;
    if (look.writers.length === 0) {
      this.#settle(look, undefined);
    } else if (!open) {
      this.#open = look;
    } else if (!look.writers.some((writer) => open.writers.includes(writer))) {
      this.#settle(open, look);
    }
    return this.#upTo;
  }

  /** Forgets what was known: after a restore, ids begin below those that were settled. */
  forget(): void {
    this.#upTo = 0;
    this.#open = undefined;
  }

  #settle({ youngest }: Look, next: Look | undefined): void {
    this.#upTo = Math.max(this.#upTo, youngest);
    this.#open = next;
  }
}
