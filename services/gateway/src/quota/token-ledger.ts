import type { Logger } from '@ragmesh/observability';
import { PeriodicTask } from '@ragmesh/resilience';
import type { Charge, TokenUse, TokenUseRepository } from './token-use.repository.js';

/** What a killed process may forget. */
const WRITTEN_EVERY_MS = 1_000;
const REMOVED_EVERY_MS = 3_600_000;

/**
 * Writes down what is charged, once a second in one statement: many answers end at once, and a statement for each would have all of
 * them wait for one tenant's row, and everybody else for a connection.
 */
export class TokenLedger {
  /** What is not written yet, by whom. */
  #charges = new Map<string, Charge>();
  #removedAt = -Infinity;
  readonly #rounds = new PeriodicTask(() => this.#write(), WRITTEN_EVERY_MS);

  constructor(
    private readonly repository: TokenUseRepository,
    private readonly logger: Logger,
  ) {}

  /** Begins to write. @returns what was charged in days that have not ended. */
  async open(): Promise<TokenUse[]> {
    const running = await this.repository.running();
    this.#rounds.start();
    return running;
  }

  /** Nobody waits for it. */
  charge({ tenant, subject, tokens }: Charge): void {
    const name = JSON.stringify([tenant, subject]);
    this.#charges.set(name, { tenant, subject, tokens: tokens + (this.#charges.get(name)?.tokens ?? 0) });
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    await this.#rounds.stop();
    await this.#write();
  }

  /** Never rejects. What fails may have been written all the same, and nobody is to be charged twice: it is left alone. */
  async #write(): Promise<void> {
    const charges = [...this.#charges.values()];
    this.#charges = new Map();
    try {
      if (charges.length > 0) await this.repository.add(charges);
      await this.#removeEnded();
    } catch (error) {
      this.logger.warn({ err: error }, 'Tokens that were used may be forgotten at a restart');
    }
  }

  async #removeEnded(): Promise<void> {
    if (performance.now() - this.#removedAt < REMOVED_EVERY_MS) return;
    this.#removedAt = performance.now();
    await this.repository.removeEnded();
  }
}
