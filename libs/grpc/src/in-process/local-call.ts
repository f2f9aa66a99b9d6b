import { EventEmitter } from 'node:events';
import type { Message } from '@bufbuild/protobuf';
import { status, type Metadata, type ServiceError } from '@grpc/grpc-js';
import type { CallHead, Method } from '../call-channel.js';
import { MAX_MESSAGE_BYTES } from '../message-limit.js';
import { failureOf } from './local-failure.js';
import { MessageQueue } from './message-queue.js';

/** What a handler sees of a call within the process: as much of grpc-js' server calls as Nest and our handlers use. */
export class LocalCall extends EventEmitter {
  readonly metadata: Metadata;
  readonly path: string;
  /** Also of a call that is over, as over the network: who works on for it works for nobody. */
  cancelled = false;
  /** Its one message, as it arrives over the network. */
  readonly request: Message | undefined;
  /** Why that does not arrive: what the call ends with instead of being answered. */
  readonly unsent: ServiceError | undefined;
  readonly #deadline: number;

  constructor(method: Method, { metadata, deadline }: CallHead, message?: Message) {
    super();
    this.path = method.path;
    this.metadata = metadata;
    this.#deadline = deadline;
    try {
      this.request = message && overWire(method, 'request', message);
    } catch (failure) {
      this.unsent = failure as ServiceError;
    }
  }

  getDeadline(): number {
    return this.#deadline;
  }

  getPath(): string {
    return this.path;
  }

  /** Tells the handler that nobody waits any more. */
  finish(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.emit('cancelled', 'cancelled');
  }
}

/** One that is answered with many messages. */
export class LocalStreamCall extends LocalCall {
  writableNeedDrain = false;
  readonly answers = new MessageQueue<Message>(() => this.#hasRoom());
  #failure: unknown;

  /** @param ended called once the handler has said all, with what it failed with. */
  constructor(
    private readonly method: Method,
    head: CallHead,
    request: Message,
    private readonly ended: (failure: unknown) => void,
  ) {
    super(method, head, request);
    // A handler fails by this event, and ends its answer then or a moment later.
    this.on('error', (error: unknown) => {
      this.#failure ??= error;
      this.end();
    });
  }

  write(message: Message): boolean {
    try {
      this.answers.push(overWire(this.method, 'response', message));
    } catch (failure) {
      this.emit('error', failure);
    }
    this.writableNeedDrain = this.answers.isFull;
    return !this.writableNeedDrain;
  }

  end(): void {
    this.ended(this.#failure);
  }

  #hasRoom(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }
}

/** One that takes many messages, as its handler reads it. */
export class LocalUploadCall extends LocalCall implements AsyncIterable<Message> {
  readonly requests: MessageQueue<Message>;

  /** @param onRoom called when more can be sent. */
  constructor(method: Method, head: CallHead, onRoom: () => void) {
    super(method, head);
    this.requests = new MessageQueue(onRoom);
  }

  [Symbol.asyncIterator](): AsyncIterator<Message> {
    return this.requests[Symbol.asyncIterator]();
  }

  /** Drops what is still to come. Nothing needs to be done: the sender learns that it is over. */
  resume(): this {
    return this;
  }

  /** A call that is cancelled looks like one that ended, as over the network. */
  override finish(): void {
    this.requests.end();
    super.finish();
  }
}

/**
 * A message as the other side of a network would have it: a copy, with numbers as precise as their fields.
 * @throws ServiceError for one that a network would not carry: none of its method, or above the limit.
 */
export function overWire(method: Method, direction: 'request' | 'response', message: Message): Message {
  const [encode, decode] =
    direction === 'request'
      ? [method.requestSerialize, method.requestDeserialize]
      : [method.responseSerialize, method.responseDeserialize];
  const bytes = encoded(encode, message);
  if (bytes.length <= MAX_MESSAGE_BYTES) return decode(bytes);
  throw failureOf(status.RESOURCE_EXHAUSTED, `A message of ${bytes.length} bytes is above the limit.`);
}

function encoded(encode: Method['requestSerialize'], message: Message): Buffer {
  try {
    return encode(message);
  } catch (cause) {
    throw Object.assign(failureOf(status.INTERNAL, 'A message is none of its method.'), { cause });
  }
}
