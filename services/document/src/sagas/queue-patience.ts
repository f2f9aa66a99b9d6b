import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import { PeriodicTask } from '@ragmesh/resilience';
import { INDEX_WITHIN_SECONDS, ingestionSaga } from './ingestion.saga.js';

/** Several times within what the step gets. */
export const PATIENCE_EVERY_MS = 50_000;

/** What has not come after so long does not lie in a queue. */
const LONGEST_WAIT_HOURS = 24;

/** Those that somebody has in hand right now have their own news. */
const GIVE_TIME = `
  UPDATE saga SET deadline = now() + interval '${INDEX_WITHIN_SECONDS} seconds' WHERE name = $1 AND id IN (
    SELECT id FROM saga WHERE name = $1 AND status = 'running' AND step = 'index' AND deadline IS NOT NULL
      AND created_at > now() - interval '${LONGEST_WAIT_HOURS} hours' FOR UPDATE SKIP LOCKED)`;

/**
 * Gives documents that wait for the index their time anew for as long as others get there: what is large and came before them is
 * being embedded, and nobody is to blame. Where nothing gets there any more, each of them fails when its time is over.
 */
@Injectable()
export class QueuePatience implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #rounds = new PeriodicTask(() => this.#round(), PATIENCE_EVERY_MS);
  #hasMoved = false;

  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#rounds.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#rounds.stop();
  }

  /** A batch of some document is in the index. */
  noteIndexed(): void {
    this.#hasMoved = true;
  }

  async #round(): Promise<void> {
    if (!this.#hasMoved) return;
    try {
      await this.database.query(GIVE_TIME, [ingestionSaga.name]);
      this.#hasMoved = false;
    } catch (error) {
      this.logger.warn(
        { code: asRagmeshError(error).code },
        'Ingestions that wait could not be given time and will be',
      );
    }
  }
}
