import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import type { Logger } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import { PeriodicTask } from '@ragmesh/resilience';
import type { GenerationConfig } from '../generation.config.js';

const INTERVAL_MS = 600_000;
/** Rows per statement, so that none holds its locks for long. */
const BATCH = 100;

/** By any copy of the service: a row another copy removes at this moment is passed over. An array is read once, whatever the plan. */
const expired = (table: string): string => `
  DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${table} WHERE updated_at < now() - make_interval(secs => $1)
    ORDER BY updated_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))`;

const statements = [expired('conversation'), expired('feedback')];

/** Removes conversations and judgements for which nothing happened for CONVERSATION_RETENTION, every ten minutes. */
@Injectable()
export class ConversationRetention implements OnModuleInit, OnModuleDestroy {
  readonly #rounds = new PeriodicTask((ending) => this.#round(ending), INTERVAL_MS);

  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: GenerationConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    if (this.config.CONVERSATION_RETENTION > 0) this.#rounds.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.#rounds.stop();
  }

  /** @returns how many conversations and judgements were removed. */
  async removeExpired(ending?: AbortSignal): Promise<number> {
    let removed = 0;
    for (const sql of statements) {
      for (let batch = BATCH; batch === BATCH && !ending?.aborted; removed += batch) {
        batch = (await this.database.query(sql, [this.config.CONVERSATION_RETENTION])).rowCount;
      }
    }
    return removed;
  }

  async #round(ending: AbortSignal): Promise<void> {
    try {
      await this.removeExpired(ending);
    } catch (error) {
      this.logger.warn({ err: error }, 'Retention will be tried again');
    }
  }
}
