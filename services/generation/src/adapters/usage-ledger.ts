import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { counter, type Logger } from '@ragmesh/observability';
import type { SqlTransaction } from '@ragmesh/postgres';
import { PeriodicTask, SharedRun } from '@ragmesh/resilience';
import type { TokenUsage } from '../domain/language-model.js';
import { ModelPrices } from '../domain/model-prices.js';
import type { GenerationConfig } from '../generation.config.js';
import { UsageRepository, type UsageEntry } from './usage.repository.js';

const FLUSH_MS = 1_000;

/** What one answer took; `cost` in US dollars, absent for a model without a price. */
export interface ChargedUsage extends TokenUsage {
  readonly cost?: number;
}

/** Tokens that a provider of embeddings charged for at some time. */
export interface EmbeddedTokens {
  readonly tenant: string;
  readonly model: string;
  readonly tokens: number;
  readonly time: Date;
}

/**
 * Counts tokens and cost by tenant, model and day. Written once a second and at the end, many answers in one statement; a
 * process that is killed loses at most that second, a database that is away delays it.
 */
@Injectable()
export class UsageLedger implements OnModuleInit, OnApplicationShutdown {
  readonly #prices: ModelPrices;
  #pending = new Map<string, UsageEntry>();
  readonly #periodic = new PeriodicTask(() => this.flush(), FLUSH_MS);
  readonly #writing = new SharedRun(() => this.#write());

  constructor(
    private readonly usage: UsageRepository,
    @Inject(CONFIG) config: GenerationConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#prices = ModelPrices.parse(config.LLM_PRICES)!;
  }

  onModuleInit(): void {
    this.#periodic.start();
  }

  /** Notes one call of a model. @returns it with its cost. */
  charge(tenant: string, model: string, { promptTokens, completionTokens }: TokenUsage): ChargedUsage {
    const cost = this.#prices.costOf(model, { promptTokens, completionTokens });
    counter('ragmesh_llm_tokens_total').inc({ tenant, model, kind: 'prompt' }, promptTokens);
    counter('ragmesh_llm_tokens_total').inc({ tenant, model, kind: 'completion' }, completionTokens);
    if (cost !== undefined) counter('ragmesh_llm_cost_dollars_total').inc({ tenant, model }, cost);
    const day = dayOf(new Date());
    this.#add({ tenant, model, day, promptTokens, completionTokens, ...oneRequest(cost) });
    return { promptTokens, completionTokens, ...(cost === undefined ? {} : { cost }) };
  }

  /** Writes down what was embedded, in the transaction of the event that tells of it. @returns its cost, where it has one. */
  chargeEmbedding(tx: SqlTransaction, { tenant, model, tokens, time }: EmbeddedTokens): number | undefined {
    const took = { promptTokens: tokens, completionTokens: 0 };
    const cost = this.#prices.costOf(model, took);
    this.usage.addIn(tx, { tenant, model, day: dayOf(time), ...took, ...oneRequest(cost) });
    return cost;
  }

  /** Writes what was noted so far; what cannot be written now is kept for the next time. Never rejects. */
  flush(): Promise<void> {
    return this.#writing.run();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#periodic.stop();
    await this.flush();
  }

  #add(entry: UsageEntry): void {
    const key = JSON.stringify([entry.tenant, entry.model, entry.day]);
    const sum = this.#pending.get(key);
    if (!sum) return void this.#pending.set(key, entry);
    this.#pending.set(key, {
      ...entry,
      requests: sum.requests + entry.requests,
      promptTokens: sum.promptTokens + entry.promptTokens,
      completionTokens: sum.completionTokens + entry.completionTokens,
      cost: sum.cost + entry.cost,
      unpriced: sum.unpriced + entry.unpriced,
    });
  }

  async #write(): Promise<void> {
    if (this.#pending.size === 0) return;
    const entries = [...this.#pending.values()];
    this.#pending = new Map();
    try {
      await this.usage.add(entries);
    } catch (error) {
      for (const entry of entries) this.#add(entry);
      this.logger.warn({ err: error, entries: entries.length }, 'Token usage will be written later');
    }
  }
}

const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

const oneRequest = (cost: number | undefined): Pick<UsageEntry, 'requests' | 'cost' | 'unpriced'> => ({
  requests: 1,
  cost: cost ?? 0,
  unpriced: cost === undefined ? 1 : 0,
});
