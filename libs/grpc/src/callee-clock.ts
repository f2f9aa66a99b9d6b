import { status, type Metadata, type ServiceError } from '@grpc/grpc-js';

/** Metadata of a refusal: the time of the service that refused, in milliseconds since 1970. */
const TIME = 'x-ragmesh-time';

/** A clock that is wrong by more than this is an operator's business; and so is who can answer in a service's name, and would set it. */
const MOST_MS = 30 * 60_000;

/** Says what time it is here, to a caller whose signature has run out by our clock. */
export function tellTime(metadata: Metadata): void {
  metadata.set(TIME, String(Date.now()));
}

/** Clocks are put right: what was learned is learned anew after a while, so that no signature holds longer than it has to. */
const REMEMBERED_MS = 10 * 60_000;

/** How far the clock of a service is ahead of ours, as its copies say when they refuse a call: calls are signed by their time. */
export class CalleeClock {
  #aheadMs = 0;
  #isKnown = false;
  #knownAt = 0;

  /** @param ours this process' clock, in milliseconds since 1970. */
  constructor(private readonly ours: () => number = () => Date.now()) {}

  /** Of the copy that is furthest ahead: a signature holds until it has run out, so it is good for the others, too. */
  get aheadMs(): number {
    this.#forget();
    return this.#aheadMs;
  }

  /** Now, by a clock that is so far ahead. */
  at(aheadMs: number): number {
    return this.ours() + aheadMs;
  }

  /** Whether it said its time lately, or took what was signed by ours. */
  get isKnown(): boolean {
    this.#forget();
    return this.#isKnown;
  }

  /** A call that was signed so far ahead was let in. */
  agrees(signedAheadMs: number): void {
    this.#forget();
    if (signedAheadMs === this.#aheadMs) this.#isKnown = true;
  }

  /**
   * @param signedAheadMs by which the call was signed; others may have learned more since.
   * @returns whether it was refused for its time, so that it may be let in when it is signed anew.
   */
  learn({ code, metadata }: Pick<ServiceError, 'code' | 'metadata'>, signedAheadMs: number): boolean {
    const time = Number(metadata?.get(TIME)[0]);
    const aheadMs = time - this.ours();
    if (code !== status.UNAUTHENTICATED || !Number.isSafeInteger(time) || aheadMs > MOST_MS) return false;
    if (aheadMs > this.aheadMs) [this.#aheadMs, this.#knownAt] = [aheadMs, performance.now()];
    this.#isKnown = true;
    return this.#aheadMs > signedAheadMs;
  }

  #forget(): void {
    if (this.#aheadMs === 0 || performance.now() - this.#knownAt < REMEMBERED_MS) return;
    [this.#aheadMs, this.#isKnown] = [0, false];
  }
}
