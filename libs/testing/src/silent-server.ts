import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A server that takes connections and says nothing, as one behind a dead network. */
export class SilentServer {
  readonly #sockets: Set<Socket> = new Set();
  readonly #server: Server = createServer((socket) => void this.#sockets.add(socket.on('error', () => undefined)));

  static async start(): Promise<SilentServer> {
    const server = new SilentServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections it was asked for so far. */
  get connections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
