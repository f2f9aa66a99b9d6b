import { withDeadline } from './deadline.js';

const WITHIN_MS = 60_000;

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Lets others wait for the next assignment of partitions. */
export class AssignmentSignal {
  readonly #waiters = new Set<Waiter>();

  constructor(private readonly group: string) {}

  /** Resolves at the next assignment; rejects when the member ends before, or the group does not settle within a minute. */
  next(): Promise<void> {
    let waiter: Waiter;
    const assigned = new Promise<void>((resolve, reject) => {
      waiter = { resolve, reject };
      this.#waiters.add(waiter);
    });
    return withDeadline(assigned, WITHIN_MS, `joining the group ${this.group}`).finally(() =>
      this.#waiters.delete(waiter),
    );
  }

  assigned(): void {
    for (const { resolve } of this.#waiters) resolve();
  }

  ended(error: Error): void {
    for (const { reject } of this.#waiters) reject(error);
  }
}
