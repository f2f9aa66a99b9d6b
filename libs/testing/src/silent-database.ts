import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Database, createPool } from '@ragmesh/postgres';

/** How long a connection may owe an answer before it is given up. */
const PATIENCE_MS = 200;

/** A database whose server takes connections and says nothing, as one behind a dead network. */
export class SilentDatabase {
  readonly database: Database;
  readonly #sockets: Set<Socket>;
  readonly #server: Server;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    const { port } = server.address() as AddressInfo;
    this.database = new Database(createPool(`postgres://x@127.0.0.1:${port}/x`, { longestSilenceMs: PATIENCE_MS }));
  }

  static async start(): Promise<SilentDatabase> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SilentDatabase(server, sockets);
  }

  /** How many connections were asked for so far. */
  get connections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.database.close();
  }
}
