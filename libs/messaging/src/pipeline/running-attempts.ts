import type { Attempt, DeliveryJournal } from '../handling/delivery-journal.js';

/**
 * Attempts at one record that were begun and have not ended. When they are aborted from outside, their starts are taken back at
 * once, not when their handlers obey: a process that is stopped would otherwise leave them behind like one that crashed.
 */
export class RunningAttempts {
  readonly #running = new Set<Attempt>();
  #takenBack: Promise<void> = Promise.resolve();

  /** @param failed is told when the journal could not be written: the starts then count as those of a crash. */
  constructor(
    private readonly journal: DeliveryJournal,
    private readonly owned: AbortSignal,
    private readonly failed: (error: unknown) => void,
  ) {
    owned.addEventListener('abort', this.#takeBack, { once: true });
  }

  begun(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) this.#running.add(attempt);
    if (this.owned.aborted) this.#takeBack();
  }

  ended(attempt: Attempt): void {
    this.#running.delete(attempt);
  }

  /** Resolves once nothing is left to be noted. */
  async close(): Promise<void> {
    this.owned.removeEventListener('abort', this.#takeBack);
    await this.#takenBack;
  }

  readonly #takeBack = (): void => {
    const attempts = [...this.#running];
    this.#running.clear();
    if (attempts.length === 0) return;
    this.#takenBack = this.#takenBack.then(() => this.journal.interrupted(attempts)).catch(this.failed);
  };
}
