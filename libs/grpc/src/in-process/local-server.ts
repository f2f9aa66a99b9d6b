import { AsyncLocalStorage } from 'node:async_hooks';
import { status } from '@grpc/grpc-js';
import { checkTenant } from '../call-metadata.js';
import { toGrpcStatus } from '../grpc-error.js';
import type { LocalCall } from './local-call.js';
import { failureOf } from './local-failure.js';

type Handler = (call: LocalCall, respond: Respond) => unknown;

/** How a handler answers a call that is answered once. */
export type Respond = (failure: unknown, answer?: unknown) => void;

/** A call under way. */
interface Running {
  readonly call: LocalCall;
  readonly fail: (failure: Error) => void;
}

const SCHEME = 'process:';
const servers = new Map<string, LocalServer>();

/** Where a service answers within the process. @param place told apart from other places, as the services of others there are. */
export const localAddress = (place: string, service: string): string => `${SCHEME}${place}/${service}`;

export const isLocalAddress = (address: string): boolean => address.startsWith(SCHEME);

/** The server at an address; undefined while there is none. */
export const localServerAt = (address: string): LocalServer | undefined => servers.get(address);

/**
 * Answers the calls of the process it runs in, without a connection. To Nest's transport it is a server of grpc-js, as far
 * as that uses one.
 */
export class LocalServer {
  readonly #handlers = new Map<string, Handler>();
  readonly #running = new Set<Running>();
  /** Handlers run as if a request had come in, whatever the caller is in the middle of. */
  readonly #inOwnContext = AsyncLocalStorage.snapshot();
  #whenIdle: (() => void) | undefined;

  constructor(private readonly address: string) {
    servers.set(address, this);
  }

  addService(definition: Record<string, { readonly path: string }>, handlers: Record<string, Handler>): void {
    for (const [name, { path }] of Object.entries(definition)) {
      const handler = handlers[name];
      if (handler) this.#handlers.set(path, handler);
    }
  }

  /**
   * Has a call answered. @param fail ends it for its caller when the server goes down. @returns what to call when it is over.
   */
  run(call: LocalCall, respond: Respond, fail: Running['fail']): () => void {
    const running = { call, fail };
    this.#running.add(running);
    const handler = this.#handlers.get(call.path) ?? unknown;
    const answer = async (): Promise<void> => {
      if (call.cancelled) return; // its caller left before it came here
      try {
        checkTenant(call.metadata);
        await handler(call, respond);
      } catch (error) {
        respond(toGrpcStatus(error));
      }
    };
    // Not before its caller has the call in hand: an answer may come at once.
    queueMicrotask(() => void this.#inOwnContext(answer));
    return () => {
      this.#running.delete(running);
      if (this.#running.size === 0) this.#whenIdle?.();
    };
  }

  /** Takes no new call and waits for what runs. */
  tryShutdown(done: () => void): void {
    this.#leave();
    if (this.#running.size === 0) done();
    else this.#whenIdle = done;
  }

  /** Breaks off what runs. */
  forceShutdown(): void {
    this.#leave();
    for (const { fail } of [...this.#running]) fail(failureOf(status.UNAVAILABLE, 'The service has stopped.'));
  }

  #leave(): void {
    if (servers.get(this.address) === this) servers.delete(this.address);
  }
}

const unknown: Handler = (call, respond) =>
  respond(failureOf(status.UNIMPLEMENTED, `There is no method ${call.path}.`));
