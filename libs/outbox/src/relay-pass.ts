import type { RowId } from './outbox-rows.js';

const LEAST_WAIT_MS = 500;
const MOST_WAIT_MS = 2_000;

/**
 * Where a relay is in what is due. It begins with the oldest row, always, until the bus does not take what is for a partition.
 * That partition is held back: its rows are passed over, so that none overtakes another of its key, and what is for others is
 * published meanwhile. Once the end was reached and a while has passed, the relay begins anew with the oldest.
 */
export class RelayPass {
  readonly #heldBack = new Set<string>();
  #after: RowId = 0;
  #retryAt = 0;
  #waitMs = LEAST_WAIT_MS;

  /** Whether anything is held back, so that it goes on after a row instead of with the oldest. */
  get isInterrupted(): boolean {
    return this.#heldBack.size > 0;
  }

  /** The last row that was looked at. */
  get after(): RowId {
    return this.#after;
  }

  isHeldBack(topic: string, partition: number): boolean {
    return this.#heldBack.has(`${topic}/${partition}`);
  }

  /** @param now in ms; all that is held back in one pass is tried again together, later each time in a row. */
  holdBack(topic: string, partition: number, now: number): void {
    if (!this.isInterrupted) {
      this.#retryAt = now + this.#waitMs;
      this.#waitMs = Math.min(this.#waitMs * 2, MOST_WAIT_MS);
    }
    this.#heldBack.add(`${topic}/${partition}`);
  }

  lookedAt(last: RowId): void {
    this.#after = last;
  }

  /**
   * Everything that is due was looked at.
   * @returns milliseconds until it begins anew, 0 when it has just done so; undefined when nothing is held back.
   */
  reachedEnd(now: number): number | undefined {
    if (!this.isInterrupted) {
      this.#waitMs = LEAST_WAIT_MS;
      return undefined;
    }
    const left = this.#retryAt - now;
    if (left > 0) return left;
    this.beginAnew();
    return 0;
  }

  /** With the oldest row, whatever was held back. */
  beginAnew(): void {
    this.#heldBack.clear();
    this.#after = 0;
  }
}
