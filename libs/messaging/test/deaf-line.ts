import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const SIGNALS = 'ragmesh-bus-signals';

/** Leads a bus to its database. What the server says on the session for signals alone can get lost, its end included. */
export class DeafLine {
  readonly #sockets = new Set<Socket>();
  #signals: { readonly client: Socket; readonly server: Socket } | undefined;

  private constructor(
    private readonly listening: Server,
    private readonly target: number,
  ) {
    listening.on('connection', (client: Socket) => this.#join(client));
  }

  static async start(target: number): Promise<DeafLine> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new DeafLine(server, target);
  }

  get port(): number {
    return (this.listening.address() as AddressInfo).port;
  }

  deafen(): void {
    this.#signals!.server.unpipe().resume();
  }

  /** Lets the bus know that the session is gone. */
  cut(): void {
    this.#signals?.client.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.listening.close(resolve));
  }

  #join(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    for (const socket of [client, server]) this.#sockets.add(socket.on('error', () => undefined));
    client.once('data', (first: Buffer) => {
      if (first.includes(SIGNALS)) this.#signals = { client, server };
    });
    client.pipe(server).pipe(client);
  }
}
