/** How long a tenant rests after a turn, in lengths of that turn: what is left to the others, and to what is taken in already. */
const REST = 2;

/** Turns of one tenant: what the next one waits for, and how many are taken or waited for. */
interface Queue {
  tail: Promise<unknown>;
  length: number;
}

/**
 * Takes the uploads of tenants in. One that is alone is not held up. While several are active each has one turn at a time and
 * then rests, so that what one sends at once does not keep the process from what another one sends: more than is taken in
 * like this could not be read and embedded meanwhile either.
 */
export class FairTurns {
  readonly #queues = new Map<string, Queue>();

  /** @param sharesWithOthers whether others than this tenant are active now. */
  constructor(private readonly sharesWithOthers: (tenant: string) => boolean) {}

  /**
   * Does the work when it is the tenant's turn, in the order of the calls.
   * @param signal of the caller: without it the turn is left to the next one.
   * @throws what the work throws; the signal's reason.
   */
  async run<T>(tenant: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (!this.#queues.has(tenant) && !this.sharesWithOthers(tenant)) return work();
    const queue = this.#queues.get(tenant) ?? { tail: Promise.resolve(), length: 0 };
    this.#queues.set(tenant, queue);
    queue.length += 1;
    const turn = queue.tail;
    const over = Promise.withResolvers<void>();
    queue.tail = over.promise;
    let restMs = 0;
    try {
      await begun(turn, signal);
      const start = performance.now();
      try {
        return await work();
      } finally {
        if (this.sharesWithOthers(tenant)) restMs = REST * (performance.now() - start);
      }
    } finally {
      void turn.then(() => setTimeout(() => this.#end(tenant, queue, over.resolve), restMs));
    }
  }

  #end(tenant: string, queue: Queue, next: () => void): void {
    queue.length -= 1;
    if (queue.length === 0) this.#queues.delete(tenant);
    next();
  }
}

/** Resolves with the turn. @throws the signal's reason. */
async function begun(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(signal.reason as Error);
  signal.addEventListener('abort', leave, { once: true });
  try {
    await Promise.race([turn, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
