import type { Message } from '@bufbuild/protobuf';
import type { Metadata, MethodDefinition, ServiceError } from '@grpc/grpc-js';

/** A method with its codec. */
export type Method = MethodDefinition<Message, Message>;

/** What goes with a call beside its messages. */
export interface CallHead {
  readonly metadata: Metadata;
  /** When nobody waits for it any more, in milliseconds since 1970. */
  readonly deadline: number;
}

/** Called once, with how a call ended. */
export type Settle = (failure: ServiceError | null, answer?: unknown) => void;

/** A call under way. */
export interface OpenCall {
  cancel(): void;
}

/** The sending side of a call that takes many messages. */
export interface OpenUpload extends OpenCall {
  /** Whether it was answered, or failed: what is still written goes nowhere. */
  readonly isOver: boolean;
  /** @returns false when the other side has enough for now, see {@link drained}. */
  write(message: Message): boolean;
  /** Resolves once there is room, or it is over. */
  drained(): Promise<void>;
  end(): void;
}

/** The reading side of a call that gives many messages. Fails with a ServiceError. */
export interface OpenStream extends OpenCall, AsyncIterable<unknown> {}

/** The way to one service, over the network or within the process. */
export interface CallChannel {
  /** Whether nobody else can call there, so that calls need not be signed. */
  readonly isPrivate: boolean;
  /** Waits a moment for a service that is away to be back, within the call's time and while its caller stays; never fails. */
  ready(deadline: number, signal?: AbortSignal): Promise<void>;
  unary(method: Method, message: Message, head: CallHead, settle: Settle): OpenCall;
  upload(method: Method, head: CallHead, settle: Settle): OpenUpload;
  stream(method: Method, message: Message, head: CallHead): OpenStream;
  close(): void;
}
