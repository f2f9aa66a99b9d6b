import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import { extractTrace, inContext, traceContext, type Logger } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import { PeriodicTask, type Rest } from '@ragmesh/resilience';
import { AdvanceReindex, type OpenReindex } from '../commands/advance-reindex.js';
import { reindexSaga } from './reindex.saga.js';

const IDLE_MS = 1_000;
const BUSY_MS = 100;

interface DueReindex extends OpenReindex {
  readonly tenant: string;
  readonly request_id: string;
  readonly trace: Record<string, string>;
}

/**
 * Takes reindexes forward, one look after the other, from what their sagas and the index say; it remembers nothing that
 * matters, so any process can go on at any time. Two that work on one step only do it twice.
 */
@Injectable()
export class ReindexWorker implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #looks = new PeriodicTask(() => this.#look(), IDLE_MS);

  constructor(
    private readonly database: Database,
    private readonly advancing: AdvanceReindex,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#looks.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#looks.stop();
  }

  async #look(): Promise<Rest> {
    let isBusy = false;
    const began = performance.now();
    try {
      const { rows } = await this.database.query<DueReindex>(
        `SELECT id, tenant, request_id, trace, step, data FROM saga WHERE name = $1 AND status = 'running'`,
        [reindexSaga.name],
      );
      isBusy = rows.length > 0;
      this.advancing.noteRunning(rows.map(({ id }) => id));
      for (const reindex of rows) await this.#within(reindex, () => this.advancing.run(reindex));
    } catch (error) {
      this.logger.warn({ code: asRagmeshError(error).code }, 'Reindexes could not be read and will be read again');
    }
    // A look at a large collection takes its time, and must not take all there is.
    return isBusy ? Math.max(BUSY_MS, 4 * (performance.now() - began)) : IDLE_MS;
  }

  #within({ tenant, request_id: requestId, trace }: DueReindex, work: () => Promise<void>): Promise<void> {
    return traceContext.with(extractTrace(trace), () =>
      inContext({ tenant, requestId, subject: reindexSaga.name }, work),
    );
  }
}
