import type { RowId } from './outbox-rows.js';

const LEAST_WAIT_MS = 500;
const MOST_WAIT_MS = 2_000;
/** While some partitions are held back, the relay goes back to the oldest row this often. */
const ROUND_MS = 2_000;
/** Published of others in one pass, at least, before it may break off for what is to be tried again. */
const PASS_ROWS = 10_000;

const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/**
 * Where a relay is in what is due. It begins with the oldest row, always, until the bus does not take what is for a partition, or
 * does not answer. That partition is held back: its rows are passed over, so that none overtakes another of its key, and what is
 * for others is published meanwhile. Each is let go by itself, in `release`, and then the relay goes back to the oldest row: once it
 * has been through all that waits, or what is behind a partition with much to pass over would never have its turn.
 */
export class RelayPass {
  /** When each partition that is held back is to be tried again, in ms; endless while an answer is awaited. */
  readonly #heldBack = new Map<string, number>();
  /** How long those wait next that failed last. */
  readonly #waits = new Map<string, number>();
  /** Those that answered late last. */
  readonly #slow = new Set<string>();
  #after: RowId = 0;
  #roundEndsAt = 0;
  /** Whether it is between the oldest row and the end. */
  #isUnderWay = false;
  #published = 0;

  /** Whether anything is held back, so that it goes on after a row instead of with the oldest. */
  get isInterrupted(): boolean {
    return this.#heldBack.size > 0;
  }

  /** Up to which row everything was looked at that can be there. */
  get after(): RowId {
    return this.#after;
  }

  isHeldBack(topic: string, partition: number): boolean {
    return this.#heldBack.has(nameOf(topic, partition));
  }

  /** Whether the last that was published there failed, so that it is to be given little. */
  isSuspect(topic: string, partition: number): boolean {
    return this.#waits.has(nameOf(topic, partition));
  }

  /** Whether what was published there last went, and in time; others would only keep all the rest waiting each time. */
  isPrompt(topic: string, partition: number): boolean {
    return !this.isSuspect(topic, partition) && !this.#slow.has(nameOf(topic, partition));
  }

  /** @param published how many of the rows since the one before are published now. */
  lookedAt(last: RowId, published: number): void {
    this.#after = last;
    this.#published += published;
    this.#isUnderWay = true;
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

  /** The bus took all it was given for it, in time or late: if it is held back, it may be let go by the next `release`. */
  went(topic: string, partition: number, now: number, isLate = false): void {
    const name = nameOf(topic, partition);
    this.#waits.delete(name);
    if (isLate) this.#slow.add(name);
    else this.#slow.delete(name);
    if (this.#heldBack.has(name)) this.#heldBack.set(name, now);
  }

  /**
   * Lets go what is due, unless a pass is under way that has not published much yet. Never to be called while rows are being
   * read: those behind `after` would be passed over, and later ones of the partition would not.
   */
  release(now: number): void {
    if (this.#isUnderWay && this.#published < PASS_ROWS) return;
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
    this.#isUnderWay = false;
    if (!this.isInterrupted) return undefined;
    if (now < this.#roundEndsAt) return Math.max(0, Math.min(this.#roundEndsAt, ...this.#heldBack.values()) - now);
    this.#goBack(now);
    return 0;
  }

  /** With the oldest row, whatever was held back, but for what awaits an answer. As `release`, not while rows are being read. */
  beginAnew(): void {
    for (const [name, at] of this.#heldBack) if (at !== Infinity) this.#heldBack.delete(name);
    this.#begin();
  }

  #hold(name: string, until: number, now: number): void {
    if (!this.isInterrupted) this.#roundEndsAt = now + ROUND_MS;
    this.#heldBack.set(name, until);
  }

  #goBack(now: number): void {
    this.#begin();
    this.#roundEndsAt = now + ROUND_MS;
  }

  #begin(): void {
    this.#after = 0;
    this.#published = 0;
    this.#isUnderWay = false;
  }
}
