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
/**
 * Share of the places from which on answers are made from fewer chunks. Below it everybody waits as long as always, so nothing would
 * be gained by cutting; the quarter that is left is for those who come while the shorter answers make room.
 */
const NEARLY_FULL = 0.75;

/** A place among the requests being served. */
export interface Slot {
  /** Whether others had taken most places of a kind when it was let in: what it asks for is then to be made with less work. */
  readonly isAmongLast: boolean;
  /**
   * Its body is there: only now is it one of the questions, and their duration counted.
   * @throws RagmeshError OVERLOAD.SHED when the server works on as many questions as it may.
   */
  begin(): void;
  /**
   * Its answer is there: how long a caller takes to read it says nothing of how busy the server is.
   * @param isServed whether it got what it asked for; nor does how long a refusal took.
   */
  answered(isServed: boolean): void;
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
  /** Gives the place back; further calls do nothing. */
  release(): void;
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
    const isQuestion = questions.has(operation);
    this.#refuseBeyond('requests', this.limits.requests);
    if (isQuestion) this.#refuseBeyond('questions', this.#most('questions'));
    let isAmongLast = this.#isNearlyFullOf('requests', 'streams', 'questions');
    const places = new Places(this.#held);
    places.take('requests');
    let begun = 0;
    gauge('rag_active_requests').inc();
    const reserveStream = (): void => {
      if (places.hasLeft || places.has('streams')) return;
      this.#refuseBeyond('streams', this.limits.streams);
      places.take('streams');
    };
    return {
      get isAmongLast() {
        return isAmongLast;
      },
      begin: () => {
        if (!isQuestion || places.hasLeft || places.has('questions')) return;
        this.#refuseBeyond('questions', this.#most('questions'));
        isAmongLast ||= this.#isNearlyFullOf('questions');
        places.take('questions');
        begun = performance.now();
      },
      answered: (isServed) => {
        if (isServed && operation === MEASURED && places.has('questions')) this.#note(begun);
        places.give('questions');
      },
      reserveStream,
      becomeStream: () => {
        reserveStream();
        places.give('requests');
        places.give('questions');
      },
      release: () => {
        if (places.hasLeft) return;
        places.leave();
        gauge('rag_active_requests').dec();
      },
    };
  }

  #most(what: keyof Held): number {
    return what === 'questions' ? (this.#questionLimit?.current(performance.now()) ?? Infinity) : this.limits[what];
  }

  #isNearlyFullOf(...kinds: readonly (keyof Held)[]): boolean {
    return kinds.some((what) => this.#held[what] >= NEARLY_FULL * this.#most(what));
  }

  #note(begun: number): void {
    const now = performance.now();
    this.#questionLimit?.note(now - begun, this.#held.questions, now);
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
  isAmongLast: false,
  begin: () => undefined,
  answered: () => undefined,
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
