/** Messages that wait for their reader; Node's own limit for streams of objects. */
const ENOUGH = 16;

/** What one side of a call within the process sends the other: in order, and no more than is read. For one reader. */
export class MessageQueue<T> implements AsyncIterable<T> {
  #waiting: T[] = [];
  #end: { readonly failure?: Error } | undefined;
  #wake: (() => void) | undefined;

  /** @param onRoom called when there is room again after {@link isFull} was true. */
  constructor(private readonly onRoom: () => void) {}

  get isFull(): boolean {
    return this.#waiting.length >= ENOUGH;
  }

  push(message: T): void {
    if (this.#end) return;
    this.#waiting.push(message);
    this.#wake?.();
  }

  /** Ends it after what waits; the first end counts. @param failure what its reader then fails with. */
  end(failure?: Error): void {
    this.#end ??= failure ? { failure } : {};
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      while (this.#waiting.length > 0) {
        const wasFull = this.isFull;
        const message = this.#waiting.shift()!;
        if (wasFull) this.onRoom();
        yield message;
      }
      if (this.#end?.failure) throw this.#end.failure;
      if (this.#end) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }
}
