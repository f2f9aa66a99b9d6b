import { RagmeshError, asRagmeshError, type ErrorCode } from '@ragmesh/errors';
import type { CallOptions, CallScope } from '@ragmesh/grpc';
import { circuitBreaker, type CircuitBreaker } from '@ragmesh/resilience';
import { isCallersOwn } from '../domain/leg-outcomes.js';

export interface DependencyOptions {
  readonly name: string;
  /** What its failures are to our caller. */
  readonly unavailable: ErrorCode;
  /** Longest time of one call. */
  readonly timeoutMs: number;
}

/** Calls to one dependency: within the caller's deadline, through one breaker, with one meaning of failure. */
export class Dependency {
  readonly #breaker: CircuitBreaker;

  constructor(private readonly options: DependencyOptions) {
    const { name, timeoutMs } = options;
    this.#breaker = circuitBreaker(name, { service: 'retrieval', timeoutMs });
  }

  /**
   * @throws RagmeshError the `unavailable` code with the reason in its details; what the caller got wrong, and a
   * permanent refusal, as they are; REQUEST.TIMEOUT or REQUEST.CANCELLED once nobody waits any more.
   */
  async call<T>(work: (options: CallOptions) => Promise<T>, scope: CallScope): Promise<T> {
    scope.deadline.throwIfExpired();
    const deadlineMs = Math.min(scope.deadline.remainingMs, this.options.timeoutMs);
    try {
      return await this.#breaker.run((signal) => work({ signal, deadlineMs }), scope.signal);
    } catch (error) {
      throw this.#explain(error, scope);
    }
  }

  close(): void {
    this.#breaker.shutdown();
  }

  #explain(failure: unknown, { deadline }: CallScope): RagmeshError {
    const error = asRagmeshError(failure);
    if (isCallersOwn(error)) return error;
    deadline.throwIfExpired();
    if (error.retry === 'permanent' || error.code === this.options.unavailable) return error;
    const { name, unavailable } = this.options;
    const { retryAfter = 1 } = error.details;
    const details = { dependency: name, reason: error.code, retryAfter };
    return new RagmeshError(unavailable, `The ${name} service gave no result.`, details, { cause: error });
  }
}
