import {
  create,
  type DescMethod,
  type DescService,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { Client, connectivityState, type ClientReadableStream, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { SpanKind, markFailed, startSpan, traceContext, type Span } from '@ragmesh/observability';
import { outgoingMetadata } from './call-metadata.js';
import { fromGrpcError } from './grpc-error.js';
import { pathOf, serviceDefinition } from './service-definition.js';
import { clientCredentials, tlsChannelOptions, type GrpcTls } from './tls-credentials.js';

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
/** A little more than the longest pause between attempts to connect. */
const RECONNECT_PATIENCE_MS = 400;
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** Calls go in turn to every copy of a service that its name resolves to, and past one that is gone. */
const ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });

/**
 * A client over one connection to each address behind the name, made on first use and remade by itself.
 * @param owner the service that is called: what calls are signed for.
 * @param tls how both sides prove who they are; without it nothing is encrypted.
 */
export function createGrpcClient<Service extends DescService>(
  service: Service,
  address: string,
  owner: string = ownerOf(service),
  tls?: GrpcTls,
): GrpcClient<Service> {
  const client = new Client(address, clientCredentials(tls), {
    ...tlsChannelOptions(tls),
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 300,
    'grpc.dns_min_time_between_resolutions_ms': 5_000,
    'grpc.service_config': ROUND_ROBIN,
  });
  const calls = service.methods.map((method) => [method.localName, callOf(client, { service, owner }, method)]);
  return { ...Object.fromEntries(calls), close: () => client.close() } as GrpcClient<Service>;
}

/** The service that has a gRPC service, unless every service has it. */
export const ownerOf = (service: DescService): string => service.typeName.split('.')[1]!;

/** What is called, and whose it is. */
interface Callee {
  readonly service: DescService;
  readonly owner: string;
}

interface Begun {
  readonly span: Span;
  readonly metadata: Metadata;
  readonly callOptions: { readonly deadline: number };
}

function beginCall({ owner, service }: Callee, method: DescMethod, { deadlineMs }: CallOptions): Begun {
  const attributes = { 'rpc.system': 'grpc', 'rpc.service': service.typeName, 'rpc.method': method.name };
  const { span, context } = startSpan(`${owner}.${method.name}`, { kind: SpanKind.CLIENT, attributes });
  const target = { audience: owner, path: pathOf(service, method) };
  const metadata = traceContext.with(context, () => outgoingMetadata(target));
  return { span, metadata, callOptions: { deadline: Date.now() + (deadlineMs ?? DEFAULT_DEADLINE_MS) } };
}

function callOf(client: Client, callee: Callee, method: DescMethod): unknown {
  const { owner, service } = callee;
  const begin = (options: CallOptions): Begun => beginCall(callee, method, options);
  if (method.methodKind === 'server_streaming') return streamingCall(client, callee, method, begin);
  const { path, requestSerialize: encode, responseDeserialize: decode } = serviceDefinition(service)[method.name]!;
  return async (input: Fields | AsyncIterable<Fields>, options: CallOptions = {}) => {
    await reconnected(client);
    return new Promise((resolve, reject) => {
      const { span, metadata, callOptions } = begin(options);
      const settle = (failure: ServiceError | null, value?: unknown): void => {
        options.signal?.removeEventListener('abort', cancel);
        const error = failure && fromGrpcError(failure, owner);
        if (error) markFailed(span, error);
        span.end();
        if (error) reject(error);
        else resolve(value);
      };
      const isUnary = method.methodKind === 'unary';
      const call = isUnary
        ? client.makeUnaryRequest(
            path,
            encode,
            decode,
            create(method.input, input as Fields),
            metadata,
            callOptions,
            settle,
          )
        : client.makeClientStreamRequest(path, encode, decode, metadata, callOptions, settle);
      const cancel = (): void => call.cancel();
      options.signal?.addEventListener('abort', cancel, { once: true });
      if (options.signal?.aborted) cancel();
      if (!isUnary) void writeAll(call as unknown as Writer, input as AsyncIterable<Fields>, method);
    });
  };
}

/**
 * A service that was away may be back since the last attempt to connect: a call waits a moment for the next one. A fresh
 * channel waits, too: connections are shared between the channels of a process, and so are their failed attempts.
 */
async function reconnected(client: Client): Promise<void> {
  if (client.getChannel().getConnectivityState(true) === connectivityState.READY) return;
  await new Promise<void>((resolve) => client.waitForReady(Date.now() + RECONNECT_PATIENCE_MS, () => resolve()));
}

function streamingCall(
  client: Client,
  { service, owner }: Callee,
  method: DescMethod,
  begin: (options: CallOptions) => Begun,
) {
  const { path, requestSerialize: encode, responseDeserialize: decode } = serviceDefinition(service)[method.name]!;
  return async function* (request: Fields, options: CallOptions = {}) {
    await reconnected(client);
    const { span, metadata, callOptions } = begin(options);
    const message = create(method.input, request);
    const call = client.makeServerStreamRequest(path, encode, decode, message, metadata, callOptions);
    yield* readStream(call, owner, options.signal, (error) => {
      if (error) markFailed(span, error);
      span.end();
    });
  };
}

/** Field values of a message before it is made. */
type Fields = Record<string, unknown>;

interface Writer {
  write(message: unknown): boolean;
  end(): void;
  cancel(): void;
  once(event: 'drain' | 'close' | 'status', listener: () => void): unknown;
}

/** Sends what the source yields, at the pace the other side reads; a failing source cancels the call. */
async function writeAll(call: Writer, source: AsyncIterable<Fields>, method: DescMethod): Promise<void> {
  let ended = false;
  call.once('status', () => (ended = true));
  try {
    for await (const message of source) {
      if (ended) return;
      if (!call.write(create(method.input, message))) {
        await new Promise<void>((resolve) => {
          call.once('drain', resolve);
          call.once('status', resolve);
        });
      }
    }
    call.end();
  } catch {
    call.cancel(); // whoever reads the source reports its failure
  }
}

async function* readStream(
  call: ClientReadableStream<unknown>,
  owner: string,
  signal: AbortSignal | undefined,
  ended: (error?: unknown) => void,
): AsyncGenerator<unknown> {
  const cancel = (): void => call.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  let failure: unknown;
  try {
    yield* call;
  } catch (error) {
    failure = fromGrpcError(error as ServiceError, owner);
    throw failure;
  } finally {
    signal?.removeEventListener('abort', cancel);
    call.cancel(); // a reader that stops early ends the call
    ended(failure);
  }
}
