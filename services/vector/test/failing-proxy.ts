import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Requests that write points. */
export const WRITE = /\/points(\?|$)/;

interface Held {
  readonly method: string;
  readonly path: RegExp;
  readonly arrived: () => void;
  readonly released: Promise<void>;
}

/** Stands before an HTTP server and lets single requests fail, as a server that is overloaded or restarts does. */
export class FailingProxy {
  private passing = Infinity;
  private isDown = false;
  private held: Held | undefined;
  /** What was let through. */
  readonly requests: { readonly method: string; readonly path: string; body: string }[] = [];

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {}

  static async start(target: string): Promise<FailingProxy> {
    const server = createServer((incoming, response) => proxy.serve(incoming, response));
    const proxy = new FailingProxy(server, new URL(target));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** After so many more writes of points one of them gets no further than here. */
  failWriteAfter(writes: number): void {
    this.passing = writes;
  }

  /** Lets the next request of this kind wait here: `arrived` resolves once it does, `release` lets it go on. */
  holdNext(method: string, path: RegExp): { readonly arrived: Promise<void>; readonly release: () => void } {
    const [arrival, passage] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.held = { method, path, arrived: arrival.resolve, released: passage.promise };
    return { arrived: arrival.promise, release: passage.resolve };
  }

  /** Breaks every connection until it is called with false. */
  down(isDown: boolean): void {
    this.isDown = isDown;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(incoming: IncomingMessage, response: ServerResponse): void {
    if (this.isDown) return void incoming.socket.destroy();
    const isWrite = incoming.method === 'PUT' && WRITE.test(incoming.url!);
    if (isWrite && this.passing-- === 0) {
      this.passing = Infinity;
      response.writeHead(500, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ status: { error: 'Service internal error: interrupted' }, time: 0 }));
    }
    const { held } = this;
    if (held && held.method === incoming.method && held.path.test(incoming.url!)) {
      this.held = undefined;
      held.arrived();
      return void held.released.then(() => this.forward(incoming, response));
    }
    this.forward(incoming, response);
  }

  private forward(incoming: IncomingMessage, response: ServerResponse): void {
    const seen = { method: incoming.method!, path: incoming.url!, body: '' };
    this.requests.push(seen);
    incoming.on('data', (part: Buffer) => (seen.body += part.toString()));
    const { hostname, port } = this.target;
    const headers = { ...incoming.headers, host: this.target.host };
    const outgoing = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  }
}
