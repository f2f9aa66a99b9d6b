import type { ServiceName } from '@ragmesh/contracts';
import { gauge } from '@ragmesh/observability';
import type { Database } from '@ragmesh/postgres';
import { PeriodicTask } from '@ragmesh/resilience';

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
 * Measures what waits in an outbox and removes what was published long ago. It has a clock of its own: the figures
 * matter while the relay cannot publish.
 */
export class OutboxHousekeeping {
  readonly #rounds: PeriodicTask;

  constructor(
    private readonly database: Database,
    private readonly service: ServiceName,
    onError: (error: unknown) => void,
  ) {
    this.#rounds = new PeriodicTask((stopping) => this.#measureAndCleanUp(stopping).catch(onError), EVERY_MS);
  }

  start(): void {
    this.#rounds.start(0);
  }

  /** Asks the database nothing more once it resolves. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #measureAndCleanUp(stopping: AbortSignal): Promise<void> {
    const { rows } = await this.database.query<{ pending: string; oldest: number | null }>(PENDING);
    gauge('ragmesh_outbox_pending').set({ service: this.service }, Number(rows[0]?.pending ?? 0));
    gauge('ragmesh_outbox_oldest_seconds').set({ service: this.service }, rows[0]?.oldest ?? 0);
    await this.#cleanUp(stopping);
  }

  /** Until nothing is left: a busy outbox grows by more than one statement removes. */
  async #cleanUp(stopping: AbortSignal): Promise<void> {
    let removed = CLEAN_UP_ROWS;
    while (removed === CLEAN_UP_ROWS && !stopping.aborted) removed = (await this.database.query(CLEAN_UP)).rowCount;
  }
}
