import { status, type Metadata, type ServiceError } from '@grpc/grpc-js';

/** Metadata of a refusal: the time of the service that refused, in milliseconds since 1970. */
const TIME = 'x-ragmesh-time';

/** A clock that is wrong by more than this is an operator's business; and so is who can answer in a service's name, and would set it. */
const MOST_MS = 30 * 60_000;

/** Says what time it is here, to a caller whose signature has run out by our clock. */
export function tellTime(metadata: Metadata): void {
  metadata.set(TIME, String(Date.now()));
}

/** How far the clock of a service is ahead of ours, as its copies say when they refuse a call: calls are signed by their time. */
export class CalleeClock {
  #aheadMs = 0;
  #isKnown = false;

  /** @param ours this process' clock, in milliseconds since 1970. */
  constructor(private readonly ours: () => number = () => Date.now()) {}

  /** Now, by the clock that is furthest ahead: a signature holds until it has run out, so it is good for the others, too. */
  get now(): number {
    return this.ours() + this.#aheadMs;
  }

  /** Whether it ever said its time, or took what was signed by ours. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** A call was let in. */
  agrees(): void {
    this.#isKnown = true;
  }

  /** @returns whether the call was refused for its time, so that it may be let in when it is signed anew. */
  learn({ code, metadata }: Pick<ServiceError, 'code' | 'metadata'>): boolean {
    const time = Number(metadata?.get(TIME)[0]);
    if (code !== status.UNAUTHENTICATED || !Number.isSafeInteger(time)) return false;
    this.#isKnown = true;
    const aheadMs = time - this.ours();
    if (aheadMs <= this.#aheadMs || aheadMs > MOST_MS) return false;
    this.#aheadMs = aheadMs;
    return true;
  }
}
