import type { Message } from '@bufbuild/protobuf';
import { Client, connectivityState, type ClientWritableStream } from '@grpc/grpc-js';
import type { CallChannel, CallHead, Method, OpenCall, OpenStream, OpenUpload, Settle } from './call-channel.js';
import { MAX_MESSAGE_BYTES } from './message-limit.js';
import { clientCredentials, tlsChannelOptions, type GrpcTls } from './tls-credentials.js';

/** A little more than the longest pause between attempts to connect. */
const RECONNECT_PATIENCE_MS = 400;
/** Calls go in turn to every copy of a service that its name resolves to, and past one that is gone. */
const ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });

/** One connection to each address behind a name, made on first use and remade by itself. */
export class NetworkChannel implements CallChannel {
  readonly isPrivate = false;
  readonly #client: Client;

  constructor(address: string, tls?: GrpcTls) {
    this.#client = new Client(address, clientCredentials(tls), {
      ...tlsChannelOptions(tls),
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 300,
      'grpc.dns_min_time_between_resolutions_ms': 5_000,
      'grpc.service_config': ROUND_ROBIN,
    });
  }

  /**
   * A service that was away may be back since the last attempt to connect: a call waits for the next one. A fresh channel
   * waits, too: connections are shared between the channels of a process, and so are their failed attempts.
   */
  async ready(deadline: number, signal?: AbortSignal): Promise<void> {
    if (this.#client.getChannel().getConnectivityState(true) === connectivityState.READY || signal?.aborted) return;
    const patience = Math.min(deadline, Date.now() + RECONNECT_PATIENCE_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    const leave = (): void => resolve();
    signal?.addEventListener('abort', leave);
    this.#client.waitForReady(patience, leave);
    await promise;
    signal?.removeEventListener('abort', leave);
  }

  unary(method: Method, message: Message, { metadata, deadline }: CallHead, settle: Settle): OpenCall {
    const { path, requestSerialize, responseDeserialize } = method;
    const limits = { deadline };
    return this.#client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      limits,
      settle,
    );
  }

  upload(method: Method, { metadata, deadline }: CallHead, settle: Settle): OpenUpload {
    const { path, requestSerialize, responseDeserialize } = method;
    const limits = { deadline };
    return new NetworkUpload(
      this.#client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, limits, settle),
    );
  }

  stream(method: Method, message: Message, { metadata, deadline }: CallHead): OpenStream {
    const { path, requestSerialize, responseDeserialize } = method;
    const limits = { deadline };
    return this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message, metadata, limits);
  }

  close(): void {
    this.#client.close();
  }
}

class NetworkUpload implements OpenUpload {
  isOver = false;
  #wake: () => void = () => undefined;

  constructor(private readonly call: ClientWritableStream<Message>) {
    call.on('drain', () => this.#wake());
    call.once('status', () => {
      this.isOver = true;
      this.#wake();
    });
  }

  write(message: Message): boolean {
    return this.call.write(message);
  }

  drained(): Promise<void> {
    return this.isOver ? Promise.resolve() : new Promise((resolve) => (this.#wake = resolve));
  }

  end(): void {
    this.call.end();
  }

  cancel(): void {
    this.call.cancel();
  }
}
