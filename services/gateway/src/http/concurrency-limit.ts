/** Fewer than these are never allowed: below, shedding costs more than it gains. */
const LEAST = 32;
const SHRINK = 0.8;
/** A window ends after so many requests; its fastest one tells, because a slow one may be slow by nature. */
const WINDOW = 8;
/** With so few beside it a request is as fast as it can be. */
const CALM = 8;
/** How fast what counts as calm grows when requests become slower by nature; a faster one counts at once. */
const CALM_GROWTH = 0.02;
/** Times its calm duration that a request may take, where that is more than the target. */
const TOLERANCE = 4;
/** After so long without delay the limit is what it was at the start. */
const RECOVERY_MS = 10_000;

/**
 * How many requests may be worked on at once so that each is done in time: additive increase, multiplicative decrease
 * (Chiu and Jain, 1989) by the fastest of each few requests, as CoDel judges queues by their least delay (RFC 8289).
 */
export class ConcurrencyLimit {
  #limit: number;
  #calm: number | undefined;
  #fastest = Infinity;
  #seen = 0;
  #holdUntil = -Infinity;
  #lastDelay = -Infinity;

  /**
   * @param most what the limit starts with and never exceeds
   * @param targetMs what a request may take without being called late
   */
  constructor(
    private readonly most: number,
    private readonly targetMs: number,
  ) {
    this.#limit = most;
  }

  current(now: number): number {
    if (now - this.#lastDelay > RECOVERY_MS) this.#limit = this.most;
    return Math.floor(this.#limit);
  }

  /** Takes account of a request that took so long, with so many worked on at the time, itself included. */
  note(milliseconds: number, workedOn: number, now: number): void {
    if (workedOn <= CALM) this.#noteCalm(milliseconds);
    this.#fastest = Math.min(this.#fastest, milliseconds);
    this.#seen += 1;
    if (this.#seen < WINDOW) return;
    const fastest = this.#fastest;
    [this.#fastest, this.#seen] = [Infinity, 0];
    const inTime = Math.max(this.targetMs, TOLERANCE * (this.#calm ?? 0));
    if (fastest > inTime) this.#shrink(fastest, inTime, workedOn, now);
    else if (workedOn >= this.#limit * SHRINK) this.#limit = Math.min(this.most, this.#limit + WINDOW / this.#limit);
  }

  /** The first requests of a process are slow, and must not be what later ones are compared with. */
  #noteCalm(milliseconds: number): void {
    const calm = this.#calm ?? milliseconds;
    this.#calm = milliseconds < calm ? milliseconds : calm + CALM_GROWTH * (milliseconds - calm);
  }

  /**
   * Once per delay: those who were let in before tell nothing of the new limit. At the rate at which they are done, as many fit
   * into the time as the delay exceeds it (Little's law).
   */
  #shrink(delay: number, inTime: number, workedOn: number, now: number): void {
    this.#lastDelay = now;
    if (now < this.#holdUntil) return;
    this.#holdUntil = now + delay;
    const share = Math.min(SHRINK, inTime / delay);
    this.#limit = Math.max(Math.min(LEAST, this.most), Math.min(this.#limit, workedOn) * share);
  }
}
