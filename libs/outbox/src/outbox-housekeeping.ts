import type { ServiceName } from '@ragmesh/contracts';
import { gauge } from '@ragmesh/observability';
import type { Database } from '@ragmesh/postgres';

const EVERY_MS = 15_000;

const PENDING = `
  SELECT count(*) AS pending, extract(epoch FROM now() - min(available_at))::float8 AS oldest
  FROM outbox WHERE published_at IS NULL AND error IS NULL AND available_at <= now()`;

/** How long rows stay after they were published: a restore publishes them again. */
export const OUTBOX_KEPT_SECONDS = 3_600;

/** In one statement, so that none is long. */
const CLEAN_UP_ROWS = 5_000;

const CLEAN_UP = `
  DELETE FROM outbox WHERE id IN (
    SELECT id FROM outbox WHERE published_at < now() - interval '${OUTBOX_KEPT_SECONDS} seconds' LIMIT ${CLEAN_UP_ROWS})`;

/**
 * Measures what waits in an outbox and removes what was published long ago. It has a clock of its own: while the bus is away
 * the relay hangs in its attempts, and that is when the figures matter.
 */
export class OutboxHousekeeping {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly service: ServiceName,
    private readonly onError: (error: unknown) => void,
  ) {}

  start(): void {
    this.#run();
    this.#timer = setInterval(() => this.#run(), EVERY_MS).unref();
  }

  /** Asks the database nothing more once it resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #run(): void {
    this.#running ??= this.#measureAndCleanUp()
      .catch(this.onError)
      .finally(() => (this.#running = undefined));
  }

  async #measureAndCleanUp(): Promise<void> {
    const { rows } = await this.database.query<{ pending: string; oldest: number | null }>(PENDING);
    gauge('ragmesh_outbox_pending').set({ service: this.service }, Number(rows[0]?.pending ?? 0));
    gauge('ragmesh_outbox_oldest_seconds').set({ service: this.service }, rows[0]?.oldest ?? 0);
    await this.#cleanUp();
  }

  /** Until nothing is left: a busy outbox grows by more than one statement removes. */
  async #cleanUp(): Promise<void> {
    let removed = CLEAN_UP_ROWS;
    while (removed === CLEAN_UP_ROWS && !this.#stopped) removed = (await this.database.query(CLEAN_UP)).rowCount;
  }
}
