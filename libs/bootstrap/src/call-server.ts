import { setTimeout as delay } from 'node:timers/promises';
import { ServerGrpc, type GrpcOptions } from '@nestjs/microservices';
import { LocalServer, isLocalAddress } from '@ragmesh/grpc';

/** The part of a gRPC server that ends it. */
interface Ending {
  tryShutdown(callback: (error?: Error) => void): void;
  forceShutdown(): void;
}

/**
 * Nest's gRPC transport, for calls of this process, too. By itself it is for the network only, and either breaks calls off or
 * waits for them without end.
 */
export class CallServer extends ServerGrpc {
  constructor({ options }: GrpcOptions) {
    super(options);
  }

  override async createClient(): Promise<unknown> {
    return isLocalAddress(this.url) ? new LocalServer(this.url) : super.createClient();
  }

  /**
   * Takes no new call and finishes what runs by the deadline; callers learn at once that they should connect elsewhere. What
   * runs longer is broken off: to its caller the service is unavailable, so that it may ask another copy.
   */
  async drain(deadlineMs: number): Promise<void> {
    const server = this.grpcClient as Ending | null | undefined;
    if (!server) return;
    const finished = new Promise<true>((resolve) => server.tryShutdown(() => resolve(true)));
    if (await Promise.race([finished, delay(deadlineMs, false, { ref: false })])) return;
    server.forceShutdown();
  }
}
