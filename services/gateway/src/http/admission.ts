import { RagmeshError } from '@ragmesh/errors';
import { gauge } from '@ragmesh/observability';

export interface AdmissionLimits {
  readonly requests: number;
  readonly streams: number;
}

/** A place among the requests being served. */
export interface Slot {
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
  #requests = 0;
  #streams = 0;

  constructor(private readonly limits: AdmissionLimits) {}

  /** @throws RagmeshError OVERLOAD.SHED when the server works on as many requests as it may. */
  admit(): Slot {
    if (this.#requests >= this.limits.requests) throw overloaded('requests', this.limits.requests);
    this.#requests += 1;
    gauge('rag_active_requests').inc();
    let held: 'request' | 'stream' | 'none' = 'request';
    return {
      becomeStream: () => {
        if (held !== 'request') return;
        if (this.#streams >= this.limits.streams) throw overloaded('streams', this.limits.streams);
        this.#requests -= 1;
        this.#streams += 1;
        held = 'stream';
      },
      release: () => {
        if (held === 'none') return;
        if (held === 'request') this.#requests -= 1;
        else this.#streams -= 1;
        held = 'none';
        gauge('rag_active_requests').dec();
      },
    };
  }
}

/** The place of a probe: a server that is busy must still say that it lives. */
export const uncountedSlot: Slot = { becomeStream: () => undefined, release: () => undefined };

function overloaded(what: 'requests' | 'streams', limit: number): RagmeshError {
  return new RagmeshError('OVERLOAD.SHED', `The server already serves ${limit} ${what}, as many as it may.`, {
    limit,
    retry_after: 1,
  });
}
