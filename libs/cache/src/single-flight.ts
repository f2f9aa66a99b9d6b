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
   * The values of all keys. A failure reaches everyone who wants what failed, and is forgotten. Who only joined a
   * computation that had more to do than he wants is not told what became of the rest: he computes once more.
   * @param signal ends this caller's wait; the work goes on while others wait.
   * @throws RagmeshError REQUEST.CANCELLED when the signal aborts; what `compute` throws.
   */
  async run(keys: readonly string[], compute: Computation<V>, signal?: AbortSignal): Promise<Map<string, V>> {
    return this.#run([...new Set(keys)], compute, { signal, isAgain: false });
  }

  /** Once more, only what wants nothing beyond these keys is joined: a failure is then theirs, and the last word. */
  async #run(
    keys: readonly string[],
    compute: Computation<V>,
    { signal, isAgain }: { readonly signal: AbortSignal | undefined; readonly isAgain: boolean },
  ): Promise<Map<string, V>> {
    const wanted = new Set(keys);
    const wantsMore = (flight: Flight<V>): boolean => flight.keys.some((key) => !wanted.has(key));
    const underWay = new Set(keys.flatMap((key) => this.#flights.get(key) ?? []));
    const joined = [...underWay].filter((flight) => !isAgain || !wantsMore(flight));
    const own = keys.filter((key) => !joined.includes(this.#flights.get(key)!));
    const started = own.length > 0 ? [this.#start(own, compute)] : [];
    const flights = [...joined, ...started];
    const outcomes = await Promise.allSettled(flights.map((flight) => this.#wait(flight, signal)));
    const found = new Map<string, V>();
    let isIncomplete = false;
    for (const [at, outcome] of outcomes.entries()) {
      if (outcome.status === 'fulfilled') for (const [key, value] of outcome.value) found.set(key, value);
      else {
        const isOthers = at < joined.length && (wantsMore(flights[at]!) || isOfTheFirstCaller(outcome.reason));
        if (!isOthers || signal?.aborted) throw outcome.reason;
        isIncomplete = true;
      }
    }
    if (!isIncomplete) return found;
    const left = keys.filter((key) => !found.has(key));
    for (const [key, value] of await this.#run(left, compute, { signal, isAgain: true })) found.set(key, value);
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

const isOfTheFirstCaller = (error: unknown): boolean => isRagmeshError(error) && ofTheFirstCaller.has(error.code);
