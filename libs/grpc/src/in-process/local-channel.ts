import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '@bufbuild/protobuf';
import { status, type ServiceError } from '@grpc/grpc-js';
import type { CallChannel, CallHead, Method, OpenCall, OpenStream, OpenUpload, Settle } from '../call-channel.js';
import { LocalCall, LocalStreamCall, LocalUploadCall, overWire } from './local-call.js';
import { asFailure, failureOf } from './local-failure.js';
import { localServerAt, type Respond } from './local-server.js';

const START_PATIENCE_MS = 400;
const LOOK_AGAIN_MS = 10;

/**
 * Calls of a service in the same process: the messages, deadlines, cancellations, back pressure and failures of a call over
 * the network, without its connection.
 */
export class LocalChannel implements CallChannel {
  readonly isPrivate = true;

  constructor(private readonly address: string) {}

  /** While the process starts, services begin to call before all of them answer. */
  async ready(deadline: number, signal?: AbortSignal): Promise<void> {
    const patience = Math.min(deadline, Date.now() + START_PATIENCE_MS);
    while (!localServerAt(this.address) && Date.now() < patience && !signal?.aborted) await delay(LOOK_AGAIN_MS);
  }

  unary(method: Method, message: Message, head: CallHead, settle: Settle): OpenCall {
    return this.#begin(new LocalCall(method, head, message), method, settle);
  }

  upload(method: Method, head: CallHead, settle: Settle): OpenUpload {
    return new LocalUpload(method, head, (call, over) =>
      this.#begin(call, method, (failure, answer) => {
        over();
        settle(failure, answer);
      }),
    );
  }

  stream(method: Method, message: Message, head: CallHead): OpenStream {
    let end: (failure?: unknown) => void = () => undefined;
    const call = new LocalStreamCall(method, head, message, (failure) => end(failure));
    const exchange = new Exchange(call, (failure) => call.answers.end(failure ?? undefined));
    end = (failure) => exchange.settle(failure === undefined ? null : asFailure(failure));
    exchange.begin(this.address, (failure) => end(failure));
    return { cancel: () => exchange.cancel(), [Symbol.asyncIterator]: () => call.answers[Symbol.asyncIterator]() };
  }

  close(): void {}

  #begin(call: LocalCall, method: Method, settle: Settle): Exchange {
    const exchange = new Exchange(call, settle);
    exchange.begin(this.address, (failure, answer) => {
      if (failure) return exchange.settle(asFailure(failure));
      try {
        exchange.settle(null, overWire(method, 'response', answer as Message));
      } catch (unsent) {
        exchange.settle(unsent as ServiceError);
      }
    });
    return exchange;
  }
}

/** One call and its end, which comes once: an answer, a failure, the caller's cancellation or the deadline. */
class Exchange implements OpenCall {
  #leave: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    private readonly call: LocalCall,
    private readonly settled: Settle,
  ) {}

  begin(address: string, respond: Respond): void {
    const server = localServerAt(address);
    const { unsent } = this.call;
    if (!server || unsent) {
      const failure = unsent ?? failureOf(status.UNAVAILABLE, 'Nobody answers there.');
      return queueMicrotask(() => this.settle(failure));
    }
    this.#leave = server.run(this.call, respond, (failure) => this.settle(failure as ServiceError));
    const leftMs = Math.max(0, this.call.getDeadline() - Date.now());
    const expired = (): void => this.settle(failureOf(status.DEADLINE_EXCEEDED, 'The deadline has passed.'));
    this.#timer = setTimeout(expired, leftMs);
  }

  /** Also called of what is over: whoever has read an answer to its end cancels, too. */
  cancel(): void {
    if (!this.#isOver) this.settle(failureOf(status.CANCELLED, 'The caller cancelled the call.'));
  }

  settle(failure: ServiceError | null, answer?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.settled(failure, answer);
    this.call.finish();
    this.#leave();
  }
}

class LocalUpload implements OpenUpload {
  isOver = false;
  readonly #call: LocalUploadCall;
  readonly #open: Exchange;
  #wake: () => void = () => undefined;

  constructor(
    private readonly method: Method,
    head: CallHead,
    begin: (call: LocalUploadCall, over: () => void) => Exchange,
  ) {
    this.#call = new LocalUploadCall(method, head, () => this.#wake());
    this.#open = begin(this.#call, () => {
      this.isOver = true;
      this.#wake();
    });
  }

  write(message: Message): boolean {
    try {
      this.#call.requests.push(overWire(this.method, 'request', message));
    } catch (unsent) {
      this.#open.settle(unsent as ServiceError);
    }
    return !this.#call.requests.isFull;
  }

  drained(): Promise<void> {
    return this.isOver ? Promise.resolve() : new Promise((resolve) => (this.#wake = resolve));
  }

  end(): void {
    this.#call.requests.end();
  }

  cancel(): void {
    this.#open.cancel();
  }
}
