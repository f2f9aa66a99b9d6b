import { RagmeshError } from '@ragmesh/errors';

export interface BulkheadOptions {
  /** Calls that run at a time. */
  readonly concurrency: number;
  /** Calls that may wait; one more is refused. */
  readonly queueLimit: number;
}

interface Waiting {
  start(): void;
}

/** Bounds how much of one thing goes on at a time; what does not fit is refused at once and told when to come back. */
export class Bulkhead {
  #running = 0;
  readonly #queue: Waiting[] = [];
  #averageMs = 0;

  constructor(
    readonly name: string,
    private readonly options: BulkheadOptions,
  ) {}

  get active(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /**
   * @param signal takes a waiting call out of the queue.
   * @throws RagmeshError `OVERLOAD.SHED` with `details.retryAfter` (seconds) when the queue is full.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#averageMs = 0.8 * this.#averageMs + 0.2 * (performance.now() - started);
      this.#leave();
    }
  }

  async #enter(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) throw cancelled();
    if (this.#running < this.options.concurrency) {
      this.#running += 1;
      return;
    }
    if (this.#queue.length >= this.options.queueLimit) throw this.#shed();
    await this.#waitForTurn(signal);
  }

  #waitForTurn(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(cancelled());
      };
      const waiting: Waiting = {
        start: () => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#queue.push(waiting);
    });
  }

  /** The place goes straight to the next in the queue, so that a newcomer cannot overtake it. */
  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running -= 1;
    else next.start();
  }

  #shed(): RagmeshError {
    const { concurrency, queueLimit } = this.options;
    const retryAfter = Math.max(1, Math.ceil((this.#averageMs * (queueLimit + concurrency)) / concurrency / 1000));
    const message = `${this.name} is at its limit of ${concurrency} running and ${queueLimit} waiting requests.`;
    return new RagmeshError('OVERLOAD.SHED', message, { retryAfter, concurrency, queueLimit });
  }
}

const cancelled = (): RagmeshError => new RagmeshError('REQUEST.CANCELLED', 'The caller went away while waiting.');
