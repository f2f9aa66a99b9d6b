import type { Attempt, DeliveryJournal } from '../handling/delivery-journal.js';

/**
 * Attempts at one record that this process began, by handler, for as long as it works on the record: over all its runs, since a
 * record runs again when its storage failed. Their starts are no sign of a crash, because the process that made them lives.
 *
 * When they are aborted from outside, their starts are taken back at once, not when their handlers obey: a process that is
 * stopped would otherwise leave them behind like one that crashed.
 */
export class RunningAttempts {
  /** Handlers of whose starts the last one was made here. */
  readonly #begunHere = new Set<string>();
  /** Those of them that have not ended. */
  readonly #running = new Map<string, Attempt>();
  #takenBack: Promise<void> = Promise.resolve();

  /**
   * @param owned aborted when the record is no longer this process's business.
   * @param failed is told when the journal could not be written: the starts then count as those of a crash.
   */
  constructor(
    private readonly journal: DeliveryJournal,
    readonly owned: AbortSignal,
    private readonly failed: (error: unknown) => void,
  ) {
    owned.addEventListener('abort', this.#takeBack, { once: true });
  }

  /** The journal has noted the starts of these. */
  begun(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) {
      this.#begunHere.add(attempt.handlerId);
      this.#running.set(attempt.handlerId, attempt);
    }
    if (this.owned.aborted) this.#takeBack();
  }

  /** Notes one more start of an attempt that was left behind or stood aside, unless that was done since. */
  async beginAgain(attempt: Attempt): Promise<void> {
    if (this.#begunHere.has(attempt.handlerId)) return;
    await this.journal.beginAgain(attempt);
    this.begun([attempt]);
  }

  /** Takes back the start of an attempt that only waits from now on; aborted ones were taken back then. */
  async standAside(attempt: Attempt): Promise<void> {
    if (!this.#running.delete(attempt.handlerId)) return;
    this.#begunHere.delete(attempt.handlerId);
    await this.journal.interrupted([attempt]);
  }

  ended({ handlerId }: Attempt): void {
    this.#running.delete(handlerId);
  }

  /** @returns how many of the starts the journal knows of were left behind by processes that are gone. */
  leftBehind({ handlerId }: Attempt, starts: number): number {
    return this.#begunHere.has(handlerId) ? starts - 1 : starts;
  }

  /** Takes back what has not ended by now. Resolves once nothing is left to be noted. */
  async close(): Promise<void> {
    this.owned.removeEventListener('abort', this.#takeBack);
    this.#takeBack();
    await this.#takenBack;
  }

  readonly #takeBack = (): void => {
    const attempts = [...this.#running.values()];
    this.#running.clear();
    if (attempts.length === 0) return;
    this.#takenBack = this.#takenBack.then(() => this.journal.interrupted(attempts)).catch(this.failed);
  };
}
