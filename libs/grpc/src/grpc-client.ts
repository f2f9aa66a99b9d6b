import {
  create,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import type { ServiceError } from '@grpc/grpc-js';
import { SpanKind, markFailed, startSpan, traceContext, type Span } from '@ragmesh/observability';
import type { CallChannel, CallHead, Method, OpenStream, OpenUpload } from './call-channel.js';
import { outgoingMetadata } from './call-metadata.js';
import { CalleeClock } from './callee-clock.js';
import { fromGrpcError } from './grpc-error.js';
import { LocalChannel } from './in-process/local-channel.js';
import { isLocalAddress } from './in-process/local-server.js';
import { NetworkChannel } from './network-channel.js';
import { pathOf, serviceDefinition } from './service-definition.js';
import type { GrpcTls } from './tls-credentials.js';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds this call may take; the server sees what is left of it. */
  readonly deadlineMs?: number;
}

type Call<M extends DescMethod> = M extends { methodKind: 'unary' }
  ? (request: MessageInitShape<M['input']>, options?: CallOptions) => Promise<MessageShape<M['output']>>
  : M extends { methodKind: 'server_streaming' }
    ? (request: MessageInitShape<M['input']>, options?: CallOptions) => AsyncIterable<MessageShape<M['output']>>
    : (
        requests: AsyncIterable<MessageInitShape<M['input']>>,
        options?: CallOptions,
      ) => Promise<MessageShape<M['output']>>;

/** Typed calls of a service; failures arrive as the RagmeshError the other side threw. */
export type GrpcClient<Service extends DescService> = {
  readonly [Name in keyof Service['method']]: Call<Service['method'][Name]>;
} & { close(): void };

const DEFAULT_DEADLINE_MS = 30_000;

/**
 * A client of a service, wherever it runs.
 * @param address of {@link localAddress} for one in this process; else host:port, with a connection to each address behind
 * the name, made on first use and remade by itself.
 * @param owner the service that is called: what calls are signed for.
 * @param tls how both sides prove who they are; without it nothing is encrypted.
 * @param clock of the service as this side knows it.
 */
export function createGrpcClient<Service extends DescService>(
  service: Service,
  address: string,
  owner: string = ownerOf(service),
  tls?: GrpcTls,
  clock = new CalleeClock(),
): GrpcClient<Service> {
  const channel = isLocalAddress(address) ? new LocalChannel(address) : new NetworkChannel(address, tls);
  const codecs = serviceDefinition(service) as Record<string, Method>;
  const callee = { channel, service, owner, clock };
  const calls = service.methods.map((method) => [method.localName, callOf(callee, method, codecs[method.name]!)]);
  return { ...Object.fromEntries(calls), close: () => channel.close() } as GrpcClient<Service>;
}

/** The service that has a gRPC service, unless every service has it. */
export const ownerOf = (service: DescService): string => service.typeName.split('.')[1]!;

/** What is called, whose it is, and the way there. */
interface Callee {
  readonly channel: CallChannel;
  readonly service: DescService;
  readonly owner: string;
  readonly clock: CalleeClock;
}

interface Begun {
  readonly span: Span;
  readonly head: CallHead;
}

/** One method, and what a call of it may take. */
interface Asked {
  readonly method: DescMethod;
  readonly codec: Method;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/** When a call is over, at the latest: what its caller leaves it, the wait for the way there included. */
const deadlineOf = ({ deadlineMs = DEFAULT_DEADLINE_MS }: CallOptions): number => Date.now() + deadlineMs;

function beginCall({ channel, owner, service }: Callee, { method, deadline }: Asked, now: number): Begun {
  const attributes = { 'rpc.system': 'grpc', 'rpc.service': service.typeName, 'rpc.method': method.name };
  const { span, context } = startSpan(`${owner}.${method.name}`, { kind: SpanKind.CLIENT, attributes });
  const target = channel.isPrivate ? undefined : { audience: owner, path: pathOf(service, method) };
  const metadata = traceContext.with(context, () => outgoingMetadata(target, now));
  return { span, head: { metadata, deadline } };
}

function callOf(callee: Callee, method: DescMethod, codec: Method): unknown {
  const { channel, clock } = callee;
  if (method.methodKind === 'server_streaming') return streamingCall(callee, method, codec);
  const isUpload = method.methodKind === 'client_streaming';
  return async (input: Fields | AsyncIterable<Fields>, options: CallOptions = {}) => {
    const asked = { method, codec, deadline: deadlineOf(options), signal: options.signal };
    await channel.ready(asked.deadline, asked.signal);
    // What is read while it is sent is sent once, so the time is asked for first; an old signature is refused with it.
    if (isUpload && !channel.isPrivate && !clock.isKnown)
      await answerOf(callee, asked, {}, { isAsking: true }).catch(() => undefined);
    const refused = { byTime: false };
    try {
      return await answerOf(callee, asked, input, refused);
    } catch (error) {
      if (isUpload || !refused.byTime) throw error;
      return await answerOf(callee, asked, input);
    }
  };
}

/** What is between a call and the clock of who is called. */
interface Timing {
  /** Whether it is there to be refused with the time. */
  readonly isAsking?: boolean;
  /** Told of a refusal: whether another signature may be taken. */
  byTime?: boolean;
}

/** Makes the call and waits for its answer. */
function answerOf(
  callee: Callee,
  asked: Asked,
  input: Fields | AsyncIterable<Fields>,
  timing: Timing = {},
): Promise<unknown> {
  const { channel, owner, clock } = callee;
  const { method, codec, signal } = asked;
  return new Promise((resolve, reject) => {
    const { aheadMs } = clock;
    const { span, head } = beginCall(callee, asked, timing.isAsking ? 0 : clock.at(aheadMs));
    let isCancelled = false;
    const settle = (failure: ServiceError | null, value?: unknown): void => {
      signal?.removeEventListener('abort', cancel);
      if (failure) timing.byTime = clock.learn(failure, aheadMs);
      else clock.agrees(aheadMs);
      const error = failure && fromGrpcError(failure, owner, isCancelled);
      if (error) markFailed(span, error);
      span.end();
      if (error) reject(error);
      else resolve(value);
    };
    const isUpload = method.methodKind === 'client_streaming' && Symbol.asyncIterator in input;
    const upload = isUpload && channel.upload(codec, head, settle);
    const call = upload || channel.unary(codec, create(method.input, input as Fields), head, settle);
    const cancel = (): void => {
      isCancelled = true;
      call.cancel();
    };
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
    if (upload) void writeAll(upload, input as AsyncIterable<Fields>, method, cancel);
  });
}

function streamingCall(callee: Callee, method: DescMethod, codec: Method) {
  const { channel } = callee;
  return async function* (request: Fields, options: CallOptions = {}) {
    const asked = { method, codec, deadline: deadlineOf(options), signal: options.signal };
    await channel.ready(asked.deadline, asked.signal);
    const refused = { byTime: false };
    try {
      yield* answersOf(callee, asked, request, refused);
    } catch (error) {
      if (!refused.byTime) throw error;
      yield* answersOf(callee, asked, request, refused); // nothing of it was told yet
    }
  };
}

function answersOf(callee: Callee, asked: Asked, request: Fields, timing: Timing): AsyncGenerator<unknown> {
  const { aheadMs } = callee.clock;
  const { span, head } = beginCall(callee, asked, callee.clock.at(aheadMs));
  const call = callee.channel.stream(asked.codec, create(asked.method.input, request), head);
  return readStream(call, callee, asked.signal, ({ error, failure }) => {
    timing.byTime = failure !== undefined && callee.clock.learn(failure, aheadMs);
    if (error) markFailed(span, error);
    span.end();
  });
}

/** Field values of a message before it is made. */
type Fields = Record<string, unknown>;

/** Sends what the source yields, at the pace the other side reads; a failing source cancels the call. */
async function writeAll(
  call: OpenUpload,
  source: AsyncIterable<Fields>,
  method: DescMethod,
  cancel: () => void,
): Promise<void> {
  try {
    for await (const message of source) {
      if (call.isOver) return;
      if (!call.write(create(method.input, message))) await call.drained();
    }
    call.end();
  } catch {
    cancel(); // whoever reads the source reports its failure
  }
}

async function* readStream(
  call: OpenStream,
  { owner }: Callee,
  signal: AbortSignal | undefined,
  ended: (how: { readonly error?: unknown; readonly failure?: ServiceError }) => void,
): AsyncGenerator<unknown> {
  let isCancelled = false;
  const cancel = (): void => {
    isCancelled = true;
    call.cancel();
  };
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  let how: Parameters<typeof ended>[0] = {};
  try {
    yield* call;
  } catch (cause) {
    const failure = cause as ServiceError;
    how = { failure, error: fromGrpcError(failure, owner, isCancelled) };
    throw how.error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    call.cancel(); // a reader that stops early ends the call
    ended(how);
  }
}
