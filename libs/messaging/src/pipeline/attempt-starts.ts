import type { Attempt, DeliveryJournal, DeliveryState } from '../handling/delivery-journal.js';

interface Waiting {
  readonly attempts: readonly Attempt[];
  readonly resolve: (states: DeliveryState[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** When starts came together lately, more are likely on their way. */
const LINGER_MS = 3;

/** Notes starts in the journal: those of one turn of the event loop, or of a few milliseconds when it is busy, share one write. */
export class AttemptStarts {
  #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(private readonly journal: DeliveryJournal) {}

  /** Resolves with the state of each attempt, in order, once the journal knows that they begin. */
  begin(attempts: readonly Attempt[]): Promise<DeliveryState[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ attempts, resolve, reject });
      if (this.#waiting.length > 1) return;
      if (this.#isBusy) setTimeout(() => void this.#write(), LINGER_MS);
      else setImmediate(() => void this.#write());
    });
  }

  async #write(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#isBusy = waiting.length > 1;
    try {
      const states = await this.journal.begin(waiting.flatMap(({ attempts }) => attempts));
      let at = 0;
      for (const { attempts, resolve } of waiting) resolve(states.slice(at, (at += attempts.length)));
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
