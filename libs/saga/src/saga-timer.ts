import { asRagmeshError } from '@ragmesh/errors';
import { extractTrace, gauge, inContext, traceContext, type Logger } from '@ragmesh/observability';
import type { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import type { SagaEngine } from './saga-engine.js';
import type { SagaEngines } from './saga-engines.js';
import { OVERDUE, STATE } from './saga-store.js';

const POLL_MS = 1_000;

interface DueSaga {
  readonly id: string;
  readonly tenant: string;
  readonly request_id: string;
  readonly trace: Record<string, string>;
}

/** Fires the durable timeouts of sagas, by the database's clock, also those that fell due while no process ran. */
export class SagaTimer {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly engines: SagaEngines,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void (this.#running = this.#tick()), POLL_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Fires what is due now, once, also when another process does the same. */
  async fire(): Promise<void> {
    for (const engine of this.engines.list()) await this.#fireDue(engine);
  }

  async #tick(): Promise<void> {
    try {
      await this.fire();
      await this.#measure();
    } catch (error) {
      this.logger.warn({ code: asRagmeshError(error).code }, 'Saga timeouts could not be read and will be read again');
    }
  }

  async #fireDue(engine: SagaEngine<never>): Promise<void> {
    const { name } = engine.definition;
    const due =
      'SELECT id, tenant, request_id, trace FROM saga WHERE name = $1 AND deadline <= now() ORDER BY deadline LIMIT 100';
    const { rows } = await this.database.query<DueSaga>(due, [name]);
    for (const { id, tenant, request_id: requestId, trace } of rows) {
      const fire = (): Promise<void> =>
        this.outbox.transaction(async (tx, { publish }) => {
          engine.lockSubject(tx, id);
          const still = await tx.query(
            'SELECT FROM saga WHERE name = $1 AND id = $2 AND deadline <= now() FOR UPDATE SKIP LOCKED',
            [name, id],
          );
          if (still.rowCount > 0) await engine.deliver(tx, publish, id, { kind: 'timeout' });
        });
      await traceContext.with(extractTrace(trace), () => inContext({ tenant, requestId, subject: name }, fire));
    }
  }

  async #measure(): Promise<void> {
    const { rows } = await this.database.query<{ name: string; state: string; count: string; overdue: string }>(
      `SELECT name, ${STATE} AS state, count(*) AS count, count(*) FILTER (WHERE ${OVERDUE}) AS overdue FROM saga
       WHERE deadline IS NOT NULL GROUP BY 1, 2`,
    );
    gauge('ragmesh_sagas').reset();
    gauge('ragmesh_sagas_overdue').reset();
    for (const { name, state, count, overdue } of rows) {
      gauge('ragmesh_sagas').set({ saga: name, state }, Number(count));
      gauge('ragmesh_sagas_overdue').inc({ saga: name }, Number(overdue));
    }
  }
}
