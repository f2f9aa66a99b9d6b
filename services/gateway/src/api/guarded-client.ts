import type { DescService } from '@bufbuild/protobuf';
import { isRagmeshError } from '@ragmesh/errors';
import type { CallOptions, GrpcClient } from '@ragmesh/grpc';
import { circuitBreaker, streamThrough, type CircuitBreaker } from '@ragmesh/resilience';

/** Short, because a process that was replaced is back within seconds. */
const RESET_MS = 1_000;

type Unary = (request: unknown, options?: CallOptions) => Promise<unknown>;
type Streaming = (request: unknown, options?: CallOptions) => AsyncIterable<unknown>;

/** Only what the service itself did not answer: what it says about its own dependencies is an answer. */
const gaveNoAnswer = (error: unknown, service: string): boolean =>
  isRagmeshError(error) &&
  ['DEPENDENCY.UNAVAILABLE', 'REQUEST.TIMEOUT'].includes(error.code) &&
  error.details['service'] === service;

/** The breaker for calls from the edge to a service. Each call has its own deadline, so the breaker sets none. */
export const edgeBreaker = (service: string): CircuitBreaker =>
  circuitBreaker(service, {
    service: 'gateway',
    timeoutMs: Infinity,
    resetMs: RESET_MS,
    isFailure: (error) => gaveNoAnswer(error, service),
  });

/**
 * A client whose calls go through a breaker: a service that does not answer is not waited for by every request. A stream
 * counts by its first message. An upload goes past it: its bytes are read only by the call that sends them.
 */
export function guardedClient<Service extends DescService>(
  service: Service,
  client: GrpcClient<Service>,
  breaker: CircuitBreaker,
): GrpcClient<Service> {
  const guarded: Record<string, unknown> = { ...client };
  for (const { localName, methodKind } of service.methods) {
    const call = client[localName as keyof typeof client] as unknown;
    if (methodKind === 'unary') guarded[localName] = guardedCall(call as Unary, breaker);
    else if (methodKind === 'server_streaming') guarded[localName] = guardedStream(call as Streaming, breaker);
  }
  return guarded as GrpcClient<Service>;
}

const guardedCall =
  (call: Unary, breaker: CircuitBreaker): Unary =>
  (request, options = {}) =>
    breaker.run((signal) => call(request, { ...options, signal }), options.signal);

const guardedStream =
  (call: Streaming, breaker: CircuitBreaker): Streaming =>
  (request, options = {}) =>
    streamThrough(breaker, (signal) => call(request, { ...options, signal }), options.signal);
