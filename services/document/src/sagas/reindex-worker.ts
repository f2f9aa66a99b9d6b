import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import { extractTrace, inContext, traceContext, type Logger } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import { Bulkhead, PeriodicTask, type Rest } from '@ragmesh/resilience';
import { AdvanceReindex, type OpenReindex } from '../commands/advance-reindex.js';
import { reindexSaga } from './reindex.saga.js';

const IDLE_MS = 1_000;
const BUSY_MS = 100;

/** Longest rest of a reindex after a look: what took long may have waited for something, and not have worked. */
const MOST_REST_MS = 5_000;

/** Looks at a time, and of those of one tenant: a call that is not answered may last minutes. */
const AT_ONCE = { concurrency: 8, queueLimit: Infinity, perLine: { concurrency: 2, queueLimit: Infinity } };

interface DueReindex extends OpenReindex {
  readonly tenant: string;
  readonly request_id: string;
  readonly trace: Record<string, string>;
}

/**
 * Takes reindexes forward, each one look after the other, from what their sagas and the index say; it remembers nothing that
 * matters, so any process can go on at any time. Two that work on one step only do it twice. One that does not get on keeps no
 * other tenant's waiting.
 */
@Injectable()
export class ReindexWorker implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #looks = new PeriodicTask((signal) => this.#look(signal), IDLE_MS);
  readonly #places = new Bulkhead('reindex', AT_ONCE);
  /** Looks and the rests after them, by reindex. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly advancing: AdvanceReindex,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#looks.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#looks.stop();
    await Promise.all(this.#underWay.values());
  }

  async #look(signal: AbortSignal): Promise<Rest> {
    try {
      const { rows } = await this.database.query<DueReindex>(
        `SELECT id, tenant, request_id, trace, step, data FROM saga WHERE name = $1 AND status = 'running'`,
        [reindexSaga.name],
      );
      this.advancing.noteRunning(rows.map(({ id }) => id));
      for (const reindex of rows) if (!this.#underWay.has(reindex.id)) this.#begin(reindex, signal);
      return rows.length > 0 ? BUSY_MS : IDLE_MS;
    } catch (error) {
      this.#tellLater(error);
      return IDLE_MS;
    }
  }

  #begin(reindex: DueReindex, signal: AbortSignal): void {
    const work = this.#within(reindex, () => this.#advance(reindex, signal))
      .catch((error: unknown) => {
        if (!signal.aborted) this.#tellLater(error);
      })
      .finally(() => this.#underWay.delete(reindex.id));
    this.#underWay.set(reindex.id, work);
  }

  async #advance(reindex: DueReindex, signal: AbortSignal): Promise<void> {
    const tookMs = await this.#places.run(
      async () => {
        const began = performance.now();
        await this.advancing.run(reindex, signal);
        return performance.now() - began;
      },
      signal,
      reindex.tenant,
    );
    // A look at a large collection takes its time, and must not take all there is.
    await delay(Math.min(MOST_REST_MS, 4 * tookMs), undefined, { signal });
  }

  #tellLater(error: unknown): void {
    this.logger.warn({ code: asRagmeshError(error).code }, 'Reindexes could not be read and will be read again');
  }

  #within({ tenant, request_id: requestId, trace }: DueReindex, work: () => Promise<void>): Promise<void> {
    return traceContext.with(extractTrace(trace), () =>
      inContext({ tenant, requestId, subject: reindexSaga.name }, work),
    );
  }
}
