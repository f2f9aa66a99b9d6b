import { setTimeout as delay } from 'node:timers/promises';

/** How long a tenant rests after a turn, in lengths of that turn: what is left to the others, and to what is taken in already. */
const REST = 3;
/** However long the turn took: then it was not this tenant's work that did. */
const MOST_REST_MS = 250;
/** The turn passes on then, whatever it still waits for (a lock, another service): nobody else's upload is to wait for that. */
const MOST_TURN_MS = 250;
/** Who has waited this long is not held up by a rest, too: a thousand uploads at once are not to fail for want of time. */
const LONG_WAIT_MS = 2_000;

interface Clock {
  now(): number;
  /** @param signal ends it early, by rejecting. */
  rest(ms: number, signal?: AbortSignal): Promise<unknown>;
}

/** Turns of one tenant. */
interface Queue {
  /** When each came that is taken or waited for, in their order. */
  readonly since: number[];
  /** What the next one waits for. */
  tail: Promise<unknown>;
}

/**
 * Takes the uploads of tenants in. One that is alone is not held up. While several are active each has one turn at a time and
 * then rests, so that what one sends at once does not keep the process from what another one sends: more than is taken in
 * like this could not be read and embedded meanwhile either.
 */
export class FairTurns {
  readonly #queues = new Map<string, Queue>();

  /**
   * @param sharesWithOthers whether others than this tenant are active now.
   * @param clock in ms, never going back, and its rest.
   */
  constructor(
    private readonly sharesWithOthers: (tenant: string) => boolean,
    private readonly clock: Clock = {
      now: () => performance.now(),
      rest: (ms, signal) => delay(ms, undefined, { signal }),
    },
  ) {}

  /**
   * Does the work when it is the tenant's turn, in the order of the calls.
   * @param signal of the caller: without it the turn is left to the next one.
   * @throws what the work throws; the signal's reason.
   */
  async run<T>(tenant: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (!this.#queues.has(tenant) && !this.sharesWithOthers(tenant)) return work();
    const queue = this.#queues.get(tenant) ?? { since: [], tail: Promise.resolve() };
    this.#queues.set(tenant, queue);
    queue.since.push(this.clock.now());
    const turn = queue.tail;
    const over = Promise.withResolvers<void>();
    queue.tail = over.promise;
    const passOn = async (tookMs: number): Promise<void> => {
      await this.clock.rest(this.#restMs(tenant, queue, tookMs));
      this.#end(tenant, queue, over.resolve);
    };
    try {
      await begun(turn, signal);
    } catch (error) {
      void turn.then(() => passOn(0));
      throw error;
    }
    const working = work();
    void this.#held(working).then(passOn);
    return working;
  }

  /** @returns how long the turn was held, in ms. */
  async #held(working: Promise<unknown>): Promise<number> {
    const start = this.clock.now();
    const ended = new AbortController();
    const end = (): void => ended.abort();
    working.then(end, end);
    await this.clock.rest(MOST_TURN_MS, ended.signal).catch(() => undefined); // ended before
    return this.clock.now() - start;
  }

  #restMs(tenant: string, { since: [, next = Infinity] }: Queue, tookMs: number): number {
    const isLate = this.clock.now() - next > LONG_WAIT_MS;
    return isLate || !this.sharesWithOthers(tenant) ? 0 : Math.min(MOST_REST_MS, REST * tookMs);
  }

  #end(tenant: string, queue: Queue, next: () => void): void {
    queue.since.shift();
    if (queue.since.length === 0) this.#queues.delete(tenant);
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
