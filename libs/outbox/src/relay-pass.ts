import type { RowId } from './outbox-rows.js';

const LEAST_WAIT_MS = 500;
const MOST_WAIT_MS = 2_000;
/** While some partitions are held back, the relay goes back to the oldest row this often. */
const ROUND_MS = 2_000;

const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/**
 * Where a relay is in what is due. It begins with the oldest row, always, until the bus does not take what is for a partition, or
 * does not answer. That partition is held back: its rows are passed over, so that none overtakes another of its key, and what is
 * for others is published meanwhile. Each is let go by itself, in `release`, and then the relay goes back to the oldest row.
 */
export class RelayPass {
  /** When each partition that is held back is to be tried again, in ms; endless while an answer is awaited. */
  readonly #heldBack = new Map<string, number>();
  /** How long those wait next that failed last. */
  readonly #waits = new Map<string, number>();
  #after: RowId = 0;
  #roundEndsAt = 0;

  /** Whether anything is held back, so that it goes on after a row instead of with the oldest. */
  get isInterrupted(): boolean {
    return this.#heldBack.size > 0;
  }

  /** The last row that was looked at. */
  get after(): RowId {
    return this.#after;
  }

  isHeldBack(topic: string, partition: number): boolean {
    return this.#heldBack.has(nameOf(topic, partition));
  }

  /** Whether the last that was published there failed, so that nobody should wait for the next. */
  isSuspect(topic: string, partition: number): boolean {
    return this.#waits.has(nameOf(topic, partition));
  }

  lookedAt(last: RowId): void {
    this.#after = last;
  }

  /** Holds it back until `failed` or `went` is called of it. @param now in ms. */
  awaitAnswer(topic: string, partition: number, now: number): void {
    this.#hold(nameOf(topic, partition), Infinity, now);
  }

  /** Holds it back for a while, longer each time in a row. */
  failed(topic: string, partition: number, now: number): void {
    const name = nameOf(topic, partition);
    const wait = this.#waits.get(name) ?? LEAST_WAIT_MS;
    this.#waits.set(name, Math.min(wait * 2, MOST_WAIT_MS));
    this.#hold(name, now + wait, now);
  }

  /** The bus took all it was given for it: if it is held back, no longer than until the next `release`. */
  went(topic: string, partition: number, now: number): void {
    const name = nameOf(topic, partition);
    this.#waits.delete(name);
    if (this.#heldBack.has(name)) this.#heldBack.set(name, now);
  }

  /**
   * Lets go what is due. Never to be called while rows are being read: those behind `after` would be passed over, and later ones
   * of the partition would not.
   */
  release(now: number): void {
    const due = [...this.#heldBack].filter(([, at]) => at <= now);
    for (const [name] of due) this.#heldBack.delete(name);
    if (due.length > 0) this.#goBack(now);
  }

  /**
   * Everything that is due was looked at.
   * @returns milliseconds until there is something to do, 0 when it has just gone back to the oldest row; undefined when nothing is
   * held back.
   */
  reachedEnd(now: number): number | undefined {
    if (!this.isInterrupted) return undefined;
    if (now < this.#roundEndsAt) return Math.max(0, Math.min(this.#roundEndsAt, ...this.#heldBack.values()) - now);
    this.#goBack(now);
    return 0;
  }

  /** With the oldest row, whatever was held back, but for what awaits an answer. As `release`, not while rows are being read. */
  beginAnew(): void {
    for (const [name, at] of this.#heldBack) if (at !== Infinity) this.#heldBack.delete(name);
    this.#after = 0;
  }

  #hold(name: string, until: number, now: number): void {
    if (!this.isInterrupted) this.#roundEndsAt = now + ROUND_MS;
    this.#heldBack.set(name, until);
  }

  #goBack(now: number): void {
    this.#after = 0;
    this.#roundEndsAt = now + ROUND_MS;
  }
}
