import { RagmeshError } from '@ragmesh/errors';
import { TurnQueue } from './turn-queue.js';

export interface BulkheadOptions {
  /** Calls that run at a time. */
  readonly concurrency: number;
  /** Calls that may wait; one more is refused. */
  readonly queueLimit: number;
  /** How many of these one line of callers may have, a tenant say; all of them when absent. */
  readonly perLine?: { readonly concurrency: number; readonly queueLimit: number };
  /** Longest wait, after which a call is refused, too; no limit when absent. */
  readonly maxWaitMs?: number;
}

interface Waiting {
  readonly line: string;
  start(): void;
}

interface Share {
  running: number;
  queued: number;
}

/**
 * Bounds how much of one thing goes on at a time; what does not fit is refused at once and told when to come back. Lines of callers
 * that wait are served in turn.
 */
export class Bulkhead {
  readonly #all: Share = { running: 0, queued: 0 };
  readonly #shares = new Map<string, Share>();
  readonly #queue = new TurnQueue<Waiting>();
  #averageMs = 0;

  constructor(
    readonly name: string,
    private readonly options: BulkheadOptions,
  ) {}

  get active(): number {
    return this.#all.running;
  }

  get queued(): number {
    return this.#all.queued;
  }

  /**
   * @param signal takes a waiting call out of the queue.
   * @param line of callers it stands in.
   * @throws RagmeshError `OVERLOAD.SHED` with `details.retryAfter` (seconds) when the queue is full, or the wait too long.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal, line = ''): Promise<T> {
    await this.#enter(line, signal);
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.#averageMs = 0.8 * this.#averageMs + 0.2 * (performance.now() - started);
      this.#leave(line);
    }
  }

  async #enter(line: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) throw cancelled();
    const { concurrency, queueLimit, perLine = this.options } = this.options;
    const { running, queued } = this.#shares.get(line) ?? { running: 0, queued: 0 };
    if (this.#all.running < concurrency && running < perLine.concurrency) this.#count(line, 'running', 1);
    else if (this.#all.queued >= queueLimit || queued >= perLine.queueLimit) throw this.#shed();
    else await this.#waitForTurn(line, signal);
  }

  #waitForTurn(line: string, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const { maxWaitMs } = this.options;
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
        this.#count(line, 'queued', -1);
      };
      const giveUp = (why: RagmeshError): void => {
        this.#queue.remove(line, waiting);
        end();
        reject(why);
      };
      const leave = (): void => giveUp(cancelled());
      const waiting: Waiting = {
        line,
        start: () => {
          end();
          this.#count(line, 'running', 1);
          resolve();
        },
      };
      const timer = maxWaitMs === undefined ? undefined : setTimeout(() => giveUp(this.#shed()), maxWaitMs);
      signal?.addEventListener('abort', leave, { once: true });
      this.#queue.push(line, waiting);
      this.#count(line, 'queued', 1);
    });
  }

  /** The place goes straight to the next in the queue, so that a newcomer cannot overtake it. */
  #leave(line: string): void {
    this.#count(line, 'running', -1);
    const { perLine = this.options } = this.options;
    this.#queue.shift((next) => (this.#shares.get(next)?.running ?? 0) < perLine.concurrency)?.start();
  }

  #count(line: string, what: keyof Share, change: 1 | -1): void {
    const share = this.#shares.get(line) ?? { running: 0, queued: 0 };
    share[what] += change;
    this.#all[what] += change;
    if (share.running + share.queued > 0) this.#shares.set(line, share);
    else this.#shares.delete(line);
  }

  #shed(): RagmeshError {
    const { concurrency, queueLimit } = this.options;
    const retryAfter = Math.max(1, Math.ceil((this.#averageMs * (queueLimit + concurrency)) / concurrency / 1000));
    const message = `${this.name} is at its limit of ${concurrency} running and ${queueLimit} waiting requests.`;
    return new RagmeshError('OVERLOAD.SHED', message, { retryAfter, concurrency, queueLimit });
  }
}

const cancelled = (): RagmeshError => new RagmeshError('REQUEST.CANCELLED', 'The caller went away while waiting.');
