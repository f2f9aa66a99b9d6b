import { setTimeout as delay } from 'node:timers/promises';
import { ServerGrpc, type GrpcOptions } from '@nestjs/microservices';

/** The part of a gRPC server that ends it. */
interface Ending {
  tryShutdown(callback: (error?: Error) => void): void;
  forceShutdown(): void;
}

/** Nest's gRPC transport, which by itself either breaks calls off or waits for them without end. */
export class CallServer extends ServerGrpc {
  constructor({ options }: GrpcOptions) {
    super(options);
  }

  /** Takes no new call and finishes what runs by the deadline; callers learn at once that they should connect elsewhere. */
  async drain(deadlineMs: number): Promise<void> {
    const server = this.grpcClient as Ending | null | undefined;
    if (!server) return;
    const finished = new Promise<true>((resolve) => server.tryShutdown(() => resolve(true)));
    if (await Promise.race([finished, delay(deadlineMs, false, { ref: false })])) return;
    server.forceShutdown();
  }
}
