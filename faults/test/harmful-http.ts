import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of one request. */
export type Harm =
  | 'none'
  /** The connection breaks before the server hears of it. */
  | 'broken'
  /** The server does it, and nobody is told. */
  | 'reply lost'
  /** Refused by the server itself. */
  | { readonly status: number; readonly retryAfter?: number };

/** Stands before an HTTP server and harms requests one by one, as a server that is overloaded or a bad network does. */
export class HarmfulHttp {
  /** Decides for each request. */
  harm: (request: IncomingMessage) => Harm = () => 'none';
  /** Each answer comes so much later, in ms. */
  delayMs = 0;
  received = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {}

  static async start(target: string): Promise<HarmfulHttp> {
    const server = createServer((incoming, response) => proxy.serve(incoming, response));
    const proxy = new HarmfulHttp(server, new URL(target));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(incoming: IncomingMessage, response: ServerResponse): void {
    this.received += 1;
    const harm = this.harm(incoming);
    if (harm === 'broken') return void incoming.socket.destroy();
    if (typeof harm === 'object') return refuse(incoming, response, harm);
    const { hostname, port } = this.target;
    const headers = { ...incoming.headers, host: this.target.host };
    const outgoing = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
      if (harm === 'reply lost') return void answer.resume().once('end', () => incoming.socket.destroy());
      setTimeout(() => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }, this.delayMs);
    });
    outgoing.on('error', () => response.destroy());
    incoming.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }
}

function refuse(incoming: IncomingMessage, response: ServerResponse, harm: Exclude<Harm, string>): void {
  incoming.resume();
  const wait = harm.retryAfter === undefined ? {} : { 'retry-after': String(harm.retryAfter) };
  response.writeHead(harm.status, { 'content-type': 'application/json', ...wait });
  response.end(JSON.stringify({ status: { error: `refused with ${harm.status}` }, time: 0 }));
}
