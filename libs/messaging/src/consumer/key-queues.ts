import { TurnQueue } from '@ragmesh/resilience';

/** With fewer slots than this, one kept free would cost too large a share of them. */
const LEAST_TO_RESERVE = 4;

/** @param leaveSlot gives the slot back at once, for work that will wait for something else than its own doing. */
export type Work = (leaveSlot: () => void) => Promise<void>;

/**
 * Runs work in order per key and at most `concurrency` pieces at once. A slow key delays nobody else, as far as slots
 * last; work must not throw.
 *
 * Work that only waits can give its slot back before it ends, and keeps its place in the order of its key.
 *
 * Slots go to tenants in turn, and the last free one only to a tenant that has none: what one tenant has queued, however
 * much, delays another one's first piece of work by nothing, and the next ones by one turn each.
 */
export class KeyQueues {
  readonly #tails = new Map<string, Promise<void>>();
  readonly #waiting = new TurnQueue<() => void>();
  /** Slots each tenant holds. */
  readonly #held = new Map<string, number>();
  readonly #reserved: number;
  #free: number;

  constructor(concurrency: number) {
    this.#free = concurrency;
    this.#reserved = concurrency >= LEAST_TO_RESERVE ? 1 : 0;
  }

  /** @param tenant whose work it is. */
  run(key: string, work: Work, tenant = ''): void {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const tail = before.then(() => this.#inSlot(work, tenant));
    this.#tails.set(key, tail);
    void tail.finally(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
  }

  /** Resolves once everything queued so far has ended. */
  async drained(): Promise<void> {
    await Promise.all(this.#tails.values());
  }

  async #inSlot(work: Work, tenant: string): Promise<void> {
    if (this.#mayTake(tenant)) this.#take(tenant);
    else await new Promise<void>((resolve) => this.#waiting.push(tenant, () => resolve(this.#take(tenant))));
    let holds = true;
    const leaveSlot = (): void => {
      if (!holds) return;
      holds = false;
      this.#giveBack(tenant);
      this.#waiting.shift((next) => this.#mayTake(next))?.();
    };
    try {
      await work(leaveSlot);
    } finally {
      leaveSlot();
    }
  }

  #mayTake(tenant: string): boolean {
    return this.#free > (this.#held.has(tenant) ? this.#reserved : 0);
  }

  #take(tenant: string): void {
    this.#free -= 1;
    this.#held.set(tenant, (this.#held.get(tenant) ?? 0) + 1);
  }

  #giveBack(tenant: string): void {
    this.#free += 1;
    const left = this.#held.get(tenant)! - 1;
    if (left > 0) this.#held.set(tenant, left);
    else this.#held.delete(tenant);
  }
}
