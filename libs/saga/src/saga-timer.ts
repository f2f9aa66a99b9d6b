import { asRagmeshError } from '@ragmesh/errors';
import { gauge, type Logger } from '@ragmesh/observability';
import type { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { PeriodicTask } from '@ragmesh/resilience';
import type { SagaEngine } from './saga-engine.js';
import type { SagaEngines } from './saga-engines.js';
import { withinSaga } from './saga-start.js';
import { OVERDUE, STATE } from './saga-store.js';

const POLL_MS = 1_000;
/** One that cannot be fired is left alone this long: it must not take the turn of those that can. */
const PUT_OFF_MS = 60_000;
/** Where it may be the database that is to blame, which is not away for long. */
const PUT_OFF_BY_STORAGE_MS = 2_000;

/** A deadline passed by so much has met nobody who could fire it: no process ran, or none could reach the database. */
const UNATTENDED_SECONDS = 10;
const GIVEN_SECONDS = 60;

/** What such a step waited for may lie in a queue, so it has a little time to come before the step counts as failed. */
const GIVE_TIME = `
  UPDATE saga SET deadline = now() + interval '${GIVEN_SECONDS} seconds'
  WHERE name = $1 AND status = 'running' AND step = ANY($2)
    AND deadline < now() - interval '${UNATTENDED_SECONDS} seconds'`;

const NOW = `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`;

const DUE = `
  SELECT id, tenant, request_id, trace FROM saga WHERE name = $1 AND deadline <= now() AND id <> ALL($2::text[])
  ORDER BY deadline LIMIT 100`;

interface DueSaga {
  readonly id: string;
  readonly tenant: string;
  readonly request_id: string;
  readonly trace: Record<string, string>;
}

/**
 * Fires the durable timeouts of sagas, by the database's clock, also those that fell due while nobody looked: no process ran,
 * the machine slept, the database was away. Of these, the ones that would fail their saga are put off by a minute first: it
 * was the process that was late, not the answer. What another process attended to meanwhile has no such deadline left.
 */
export class SagaTimer {
  readonly #rounds = new PeriodicTask(() => this.#tick(), POLL_MS);
  /** When the last look at deadlines ended, by the clock: while it lasted, somebody attended to them. */
  #attendedAt = -Infinity;
  /** Until when, for each saga by name and id. */
  readonly #putOff = new Map<string, Map<string, number>>();

  /** @param clock the database's, in ms. */
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly engines: SagaEngines,
    private readonly logger: Logger,
    private readonly clock = () => timeOf(database),
  ) {}

  start(): void {
    this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Fires what is due now, once, also when another process does the same. */
  async fire(): Promise<void> {
    for (const engine of this.engines.list()) await this.#fireDue(engine);
  }

  async #tick(): Promise<void> {
    try {
      if ((await this.clock()) - this.#attendedAt > UNATTENDED_SECONDS * 1_000) await this.#giveTime();
      await this.fire();
      this.#attendedAt = await this.clock();
      await this.#measure();
    } catch (error) {
      this.logger.warn({ code: asRagmeshError(error).code }, 'Saga timeouts could not be read and will be read again');
    }
  }

  async #giveTime(): Promise<void> {
    for (const { definition } of this.engines.list()) {
      const failing = definition.steps.filter(({ onTimeout }) => onTimeout === 'fail').map(({ name }) => name);
      await this.database.query(GIVE_TIME, [definition.name, failing]);
    }
  }

  /** @throws RagmeshError `STORAGE.*`, which ends the round: what is left has its turn in the next one. */
  async #fireDue(engine: SagaEngine<never>): Promise<void> {
    const { name } = engine.definition;
    const putOff = this.#putOffOf(name);
    const { rows } = await this.database.query<DueSaga>(DUE, [name, [...putOff.keys()]]);
    for (const saga of rows) {
      try {
        await withinSaga({ ...saga, subject: name }, () => this.#timeOut(engine, saga.id));
      } catch (error) {
        const { code } = asRagmeshError(error);
        const isStorage = code.startsWith('STORAGE.');
        putOff.set(saga.id, performance.now() + (isStorage ? PUT_OFF_BY_STORAGE_MS : PUT_OFF_MS));
        if (isStorage) throw error;
        this.logger.error(
          { code, saga: name, saga_id: saga.id },
          'The timeout of a saga failed and will be tried again',
        );
      }
    }
  }

  async #timeOut(engine: SagaEngine<never>, id: string): Promise<void> {
    await this.outbox.transaction((tx, { publish }) => engine.timeOut(tx, publish, id));
  }

  /** Those of a name whose time apart is not over. */
  #putOffOf(name: string): Map<string, number> {
    const known = this.#putOff.get(name) ?? new Map<string, number>();
    this.#putOff.set(name, known);
    for (const [id, until] of known) if (performance.now() >= until) known.delete(id);
    return known;
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

async function timeOf(database: Database): Promise<number> {
  const { rows } = await database.query<{ now: number }>(NOW);
  return rows[0]!.now;
}
