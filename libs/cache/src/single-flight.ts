import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

/** Computes the values of these keys; the signal aborts when nobody waits for any of them any more. */
export type Computation<V> = (keys: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, V>>;

interface Flight<V> {
  readonly keys: readonly string[];
  readonly values: Promise<ReadonlyMap<string, V>>;
  readonly abandoned: AbortController;
  waiters: number;
  hasLanded: boolean;
}

/** Failures of the first caller's own patience: those who joined it have theirs left. */
const ofTheFirstCaller = new Set(['REQUEST.CANCELLED', 'REQUEST.TIMEOUT']);

/** Makes equal work happen once at a time: who asks for a key that is being computed waits for that computation. */
export class SingleFlight<V> {
  readonly #flights = new Map<string, Flight<V>>();

  /**
   * The values of all keys. A failure reaches everyone who waits for it, and is forgotten.
   * @param signal ends this caller's wait; the work goes on while others wait.
   * @throws RagmeshError REQUEST.CANCELLED when the signal aborts; what `compute` throws.
   */
  async run(keys: readonly string[], compute: Computation<V>, signal?: AbortSignal): Promise<Map<string, V>> {
    const joined = new Set(keys.flatMap((key) => this.#flights.get(key) ?? []));
    const own = keys.filter((key) => !this.#flights.has(key));
    const found = new Map<string, V>();
    const started = own.length > 0 ? [this.#start([...new Set(own)], compute)] : [];
    const waits = [...joined, ...started].map((flight) => this.#wait(flight, signal));
    for (const outcome of await Promise.allSettled(waits)) {
      if (outcome.status === 'rejected') {
        if (joined.size > 0 && isOfTheFirstCaller(outcome.reason, signal)) return this.run(keys, compute, signal);
        throw outcome.reason;
      }
      for (const [key, value] of outcome.value) found.set(key, value);
    }
    return found;
  }

  /** Whoever asks from now on does not join what is running. */
  detach(): void {
    this.#flights.clear();
  }

  #start(keys: readonly string[], compute: Computation<V>): Flight<V> {
    const abandoned = new AbortController();
    const values = Promise.resolve().then(() => compute(keys, abandoned.signal));
    const flight: Flight<V> = { keys, values, abandoned, waiters: 0, hasLanded: false };
    for (const key of keys) this.#flights.set(key, flight);
    const land = (): void => this.#land(flight);
    values.then(land, land);
    return flight;
  }

  #land(flight: Flight<V>): void {
    flight.hasLanded = true;
    for (const key of flight.keys) if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  async #wait(flight: Flight<V>, signal?: AbortSignal): Promise<ReadonlyMap<string, V>> {
    flight.waiters += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(new RagmeshError('REQUEST.CANCELLED', 'The caller went away.'));
    if (signal?.aborted) leave();
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.values, left.promise]);
    } finally {
      signal?.removeEventListener('abort', leave);
      flight.waiters -= 1;
      if (flight.waiters === 0 && !flight.hasLanded) this.#abandon(flight);
    }
  }

  #abandon(flight: Flight<V>): void {
    this.#land(flight);
    flight.abandoned.abort();
  }
}

const isOfTheFirstCaller = (error: unknown, signal?: AbortSignal): boolean =>
  isRagmeshError(error) && ofTheFirstCaller.has(error.code) && signal?.aborted !== true;
