import type { DescService } from '@bufbuild/protobuf';
import { isRagmeshError } from '@ragmesh/errors';
import { circuitBreaker, streamThrough, type CircuitBreaker } from '@ragmesh/resilience';
import { ownerOf, type CallOptions, type GrpcClient } from './grpc-client.js';
import type { GrpcClients } from './grpc-clients.js';

/** Short, because a process that was replaced is back within seconds. */
const RESET_MS = 1_000;

type Unary = (request: unknown, options?: CallOptions) => Promise<unknown>;
type Streaming = (request: unknown, options?: CallOptions) => AsyncIterable<unknown>;

/**
 * Clients whose calls go through a breaker for each service that is called: one that does not answer is not waited for by
 * every request. Meant for callers that give their calls no breaker of their own.
 */
export class GuardedClients {
  readonly #breakers = new Map<string, CircuitBreaker>();

  /** @param caller the service whose calls these are: its operators see the breakers. */
  constructor(
    private readonly clients: GrpcClients,
    private readonly caller: string,
  ) {}

  /**
   * A breaker is seen from here on, so ask when the caller is made and not when it first calls. What one service does not
   * answer, it does not answer in any of its roles: they share a breaker. A stream counts by its first message. An upload goes
   * past it: its bytes are read only by the call that sends them.
   */
  of<Service extends DescService>(service: Service): GrpcClient<Service> {
    const breaker = this.#breakerTo(ownerOf(service));
    const client = this.clients.of(service);
    const guarded: Record<string, unknown> = { ...client };
    for (const { localName, methodKind } of service.methods) {
      const call = client[localName as keyof typeof client] as unknown;
      if (methodKind === 'unary') guarded[localName] = guardedCall(call as Unary, breaker);
      else if (methodKind === 'server_streaming') guarded[localName] = guardedStream(call as Streaming, breaker);
    }
    return guarded as GrpcClient<Service>;
  }

  /** Once nobody calls any more. The clients stay open. */
  close(): void {
    for (const breaker of this.#breakers.values()) breaker.shutdown();
  }

  /** Each call has its own deadline, so the breaker sets none. */
  #breakerTo(callee: string): CircuitBreaker {
    const known = this.#breakers.get(callee);
    if (known) return known;
    const breaker = circuitBreaker(callee, {
      service: this.caller,
      timeoutMs: Infinity,
      resetMs: RESET_MS,
      isFailure: (error) => gaveNoAnswer(error, callee),
    });
    this.#breakers.set(callee, breaker);
    return breaker;
  }
}

/** Only what the service itself did not answer: what it says about its own dependencies is an answer. */
const gaveNoAnswer = (error: unknown, service: string): boolean =>
  isRagmeshError(error) &&
  ['DEPENDENCY.UNAVAILABLE', 'REQUEST.TIMEOUT'].includes(error.code) &&
  error.details['service'] === service;

const guardedCall =
  (call: Unary, breaker: CircuitBreaker): Unary =>
  (request, options = {}) =>
    breaker.run((signal) => call(request, { ...options, signal }), options.signal);

const guardedStream =
  (call: Streaming, breaker: CircuitBreaker): Streaming =>
  (request, options = {}) =>
    streamThrough(breaker, (signal) => call(request, { ...options, signal }), options.signal);
