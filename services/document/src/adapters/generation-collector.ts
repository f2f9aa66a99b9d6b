import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import { inContext, type Logger } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { PeriodicTask } from '@ragmesh/resilience';
import type { DocumentConfig } from '../document.config.js';
import { publishRecut } from '../publishes/collection-recut.event.js';
import { GenerationIndex } from './generation-index.js';
import { GenerationRepository, type Leftover } from './generation.repository.js';

const PAUSE_MS = 5_000;

/** Removes generations nobody will see again: failed ones, dropped ones, and those whose time for a rollback is over. */
@Injectable()
export class GenerationCollector implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #rounds = new PeriodicTask((signal) => this.#collect(signal), PAUSE_MS);

  constructor(
    private readonly outbox: Outbox,
    private readonly generations: GenerationRepository,
    private readonly index: GenerationIndex,
    @Inject(CONFIG) private readonly config: DocumentConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#rounds.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#rounds.stop();
  }

  /** One round; what cannot be removed now is removed in a later one, and keeps nothing else. */
  async #collect(signal: AbortSignal): Promise<void> {
    const tellLater = (error: unknown): void =>
      this.logger.warn({ code: asRagmeshError(error).code }, 'Generations could not be removed and will be later');
    try {
      await this.generations.expire(this.config.REINDEX_KEEP_PREVIOUS);
      for (const leftover of await this.generations.leftovers()) {
        if (signal.aborted) return;
        await this.#remove(leftover).catch(tellLater);
      }
    } catch (error) {
      tellLater(error);
    }
  }

  async #remove(leftover: Leftover): Promise<void> {
    const { tenant, collection, generation } = leftover;
    await inContext({ tenant, requestId: randomUUID(), subject: collection }, async () => {
      const { live } = await this.index.state(leftover, '', 1);
      if (live === generation) {
        // Called off while it was being shown: readers see it, so that is what it is.
        await this.outbox.transaction(async (tx, { publish }) =>
          publishRecut(publish, leftover, await this.generations.show(tx, leftover)),
        );
        return;
      }
      await this.index.drop(leftover);
      await this.generations.remove(leftover);
      this.logger.info({ collection, generation }, 'A generation of an index was removed');
    });
  }
}
