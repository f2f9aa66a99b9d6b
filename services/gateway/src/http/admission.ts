import { RagmeshError } from '@ragmesh/errors';
import { gauge } from '@ragmesh/observability';
import { ConcurrencyLimit } from './concurrency-limit.js';

export interface AdmissionLimits {
  readonly requests: number;
  readonly streams: number;
  /** What a search may take before fewer questions are let in at once; they are not limited further unless given. */
  readonly searchMs?: number;
}

/** What can always be asked for more often than it can be done: each is work of the processor from begin to end. */
const questions = new Set([
  '/v1/search',
  '/v1/query',
  '/v1/embeddings',
  '/v1/chat/completions',
  '/query',
  '/query/stream',
  '/api/v1/query',
]);
/** The question whose duration tells how busy the server is: no caller's body and no language model's answer is in it. */
const MEASURED = '/v1/search';

/** A place among the requests being served. */
export interface Slot {
  /**
   * Keeps a place among the streams for what will be one, before any work is done for it.
   * @throws RagmeshError OVERLOAD.SHED as `becomeStream` does.
   */
  reserveStream(): void;
  /**
   * Moves to the streams: what mostly waits must not keep others from being worked on.
   * @throws RagmeshError OVERLOAD.SHED when as many streams are open as may be.
   */
  becomeStream(): void;
  /**
   * Gives the place back; further calls do nothing.
   * @param isServed whether the request got what it asked for: how long a refusal took says nothing of how busy the server is.
   */
  release(isServed?: boolean): void;
}

/** Sheds load at the door, before a body is read, so that what was admitted stays fast. */
export class Admission {
  readonly #held = { requests: 0, questions: 0, streams: 0 };
  readonly #questionLimit: ConcurrencyLimit | undefined;

  constructor(private readonly limits: AdmissionLimits) {
    if (limits.searchMs) this.#questionLimit = new ConcurrencyLimit(limits.requests, limits.searchMs);
  }

  /**
   * @param operation the route of the request
   * @throws RagmeshError OVERLOAD.SHED when the server works on as many requests, or questions, as it may.
   */
  admit(operation = ''): Slot {
    const begin = performance.now();
    const isQuestion = questions.has(operation);
    this.#refuseBeyond('requests', this.limits.requests);
    if (isQuestion && this.#questionLimit) this.#refuseBeyond('questions', this.#questionLimit.current(begin));
    const places = new Places(this.#held);
    places.take('requests');
    if (isQuestion) places.take('questions');
    gauge('rag_active_requests').inc();
    const reserveStream = (): void => {
      if (places.hasLeft || places.has('streams')) return;
      this.#refuseBeyond('streams', this.limits.streams);
      places.take('streams');
    };
    return {
      reserveStream,
      becomeStream: () => {
        reserveStream();
        places.give('requests');
        places.give('questions');
      },
      release: (isServed = false) => {
        if (places.hasLeft) return;
        if (isServed && operation === MEASURED) this.#note(performance.now(), begin);
        places.leave();
        gauge('rag_active_requests').dec();
      },
    };
  }

  #note(now: number, begin: number): void {
    this.#questionLimit?.note(now - begin, this.#held.questions, now);
  }

  #refuseBeyond(what: keyof Held, limit: number): void {
    if (this.#held[what] >= limit) throw overloaded(what, limit);
  }
}

interface Held {
  requests: number;
  questions: number;
  streams: number;
}

/** What one request holds of the places there are. */
class Places {
  readonly #taken = new Set<keyof Held>();
  hasLeft = false;

  constructor(private readonly held: Held) {}

  has(what: keyof Held): boolean {
    return this.#taken.has(what);
  }

  take(what: keyof Held): void {
    this.#taken.add(what);
    this.held[what] += 1;
  }

  give(what: keyof Held): void {
    if (this.#taken.delete(what)) this.held[what] -= 1;
  }

  leave(): void {
    for (const what of this.#taken) this.give(what);
    this.hasLeft = true;
  }
}

/** The place of a probe: a server that is busy must still say that it lives. */
export const uncountedSlot: Slot = {
  reserveStream: () => undefined,
  becomeStream: () => undefined,
  release: () => undefined,
};

function overloaded(what: keyof Held, limit: number): RagmeshError {
  return new RagmeshError('OVERLOAD.SHED', `The server already serves ${limit} ${what}, as many as it may.`, {
    limit,
    retry_after: 1,
  });
}
