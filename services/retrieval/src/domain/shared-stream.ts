import { RagmeshError } from '@ragmesh/errors';

/**
 * One source read by many, each from its beginning and at its own pace. The source is asked for its next item when the
 * fastest reader wants one, so nothing is made that nobody takes; it ends when its last reader leaves.
 */
export class SharedStream<T> {
  readonly #items: T[] = [];
  readonly #source: AsyncIterator<T>;
  readonly #whole = Promise.withResolvers<readonly T[] | undefined>();
  readonly #abandoned = new AbortController();
  #pull: Promise<boolean> | undefined;
  #readers = 0;
  #hasEnded = false;

  /** @param open begins the source; its signal aborts when nobody reads any more. */
  constructor(open: (abandoned: AbortSignal) => AsyncIterable<T>) {
    this.#source = open(this.#abandoned.signal)[Symbol.asyncIterator]();
  }

  /** All items once the source is through; undefined when it failed or was left. Never rejects. */
  get whole(): Promise<readonly T[] | undefined> {
    return this.#whole.promise;
  }

  /** Whether somebody who comes now gets it all: false once it was left. */
  get isOpen(): boolean {
    return !this.#abandoned.signal.aborted;
  }

  /** @param signal ends this reader's wait. @throws RagmeshError REQUEST.CANCELLED then; what the source throws. */
  async *read(signal: AbortSignal): AsyncGenerator<T, void> {
    this.#readers += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(gone());
    left.promise.catch(() => undefined);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      for (let at = 0; ; at += 1) {
        if (at === this.#items.length && !(await Promise.race([left.promise, this.#next()]))) return;
        yield this.#items[at]!;
      }
    } finally {
      signal.removeEventListener('abort', leave);
      this.#readers -= 1;
      if (this.#readers === 0 && !this.#hasEnded) this.#abandon();
    }
  }

  /** Whether there is one more item than before; readers that wait at the same time wait for the same one. */
  #next(): Promise<boolean> {
    if (!this.isOpen) return Promise.reject(gone());
    if (this.#hasEnded || this.#pull) return this.#pull!; // how it ended is told to whoever comes that far
    const pull = this.#take().finally(() => {
      if (!this.#hasEnded) this.#pull = undefined;
    });
    pull.catch(() => undefined); // whoever asked for it may have left
    this.#pull = pull;
    return pull;
  }

  async #take(): Promise<boolean> {
    try {
      const { value, done } = await this.#source.next();
      if (done) this.#end(this.#items);
      else this.#items.push(value);
      return !done;
    } catch (error) {
      this.#end(undefined);
      throw error;
    }
  }

  #end(items: readonly T[] | undefined): void {
    this.#hasEnded = true;
    this.#whole.resolve(items);
  }

  #abandon(): void {
    this.#end(undefined);
    this.#abandoned.abort();
    this.#source.return?.().catch(() => undefined);
  }
}

const gone = (): RagmeshError => new RagmeshError('REQUEST.CANCELLED', 'The caller went away.');
