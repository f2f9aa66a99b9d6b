import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePorts } from '@ragmesh/local-servers';
import { CurrentFaults, type Faults } from './faults.js';
import { FaultyStream } from './faulty-stream.js';

const LOOPBACK = '127.0.0.1';

export interface FaultProxyOptions {
  /** Port of the real server, on the loopback interface. */
  readonly target: number;
  /** Own port; without it a free one. */
  readonly port?: number;
}

interface Connection {
  readonly client: Socket;
  readonly target: Socket;
}

/**
 * Stands between a client and a real server on the loopback interface and breaks the line on command, while connections
 * live. Without faults it passes everything on unchanged, ends of either half included.
 */
export class FaultProxy {
  readonly #faults = new CurrentFaults();
  readonly #connections = new Set<Connection>();
  readonly #waiting = new Set<Socket>();
  #server: Server | undefined;
  #accepted = 0;
  #target: number;

  /** @param port what a client connects to; it stays the same while connections are refused. */
  private constructor(
    target: number,
    readonly port: number,
  ) {
    this.#target = target;
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options.target, options.port ?? (await freePorts(1))[0]!);
    await proxy.#listen();
    return proxy;
  }

  get address(): string {
    return `${LOOPBACK}:${this.port}`;
  }

  /** Connections open at the moment. */
  get connections(): number {
    return this.#connections.size + this.#waiting.size;
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Puts exactly these faults in force; those left out end. Resolves when they hold for the next connection. */
  async set(faults: Partial<Faults>): Promise<void> {
    this.#faults.set(faults);
    if (this.#faults.value.reset) this.cut();
    if (this.#faults.value.refuse) this.#stopListening();
    else await this.#listen();
  }

  /** Ends all faults. */
  clear(): Promise<void> {
    return this.set({});
  }

  /** Resets every live connection, on both sides. */
  cut(): void {
    for (const { client, target } of this.#connections) {
      reset(client);
      reset(target);
    }
    for (const client of this.#waiting) reset(client);
  }

  /** Tells one side of every live connection that the other has finished sending, which goes on receiving. */
  halfClose(side: keyof Connection): void {
    for (const connection of this.#connections) connection[side].end();
  }

  /** Sends new connections to another server, for instance one that was restarted on a new port. */
  retarget(target: number): void {
    this.#target = target;
  }

  async close(): Promise<void> {
    this.#faults.set({}); // wakes what waits in a black hole
    this.#stopListening();
    const gone = [...this.#connections].flatMap(({ client, target }) => [closed(client), closed(target)]);
    this.cut();
    await Promise.all(gone);
  }

  async #listen(): Promise<void> {
    if (this.#server) return;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => void this.#accept(client));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, LOOPBACK, resolve);
    });
  }

  #stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  async #accept(client: Socket): Promise<void> {
    this.#accepted += 1;
    client.on('error', () => undefined);
    if (this.#faults.value.reset) return void reset(client);
    this.#waiting.add(client);
    client.once('close', () => this.#waiting.delete(client));
    while (this.#faults.value.blackHole) await this.#faults.changed;
    this.#waiting.delete(client);
    if (!client.destroyed) this.#join(client);
  }

  #join(client: Socket): void {
    const target = connect({ port: this.#target, host: LOOPBACK, allowHalfOpen: true });
    const connection = { client, target };
    this.#connections.add(connection);
    const bothSides = [client, target] as const;
    for (const side of bothSides) {
      const other = side === client ? target : client;
      const forget = (): void => {
        if (client.destroyed && target.destroyed) this.#connections.delete(connection);
      };
      side.on('close', forget).on('error', () => {
        reset(other);
        forget();
      });
    }
    new FaultyStream(client, target, this.#faults);
    new FaultyStream(target, client, this.#faults, (bytes) => {
      if (bytes > this.#faults.value.resetAfterBytes) for (const side of bothSides) reset(side);
    });
    client.resume();
  }
}

/** Whatever ends it: a socket that fails while it is being reset emits no 'close' (Node 24). */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.destroyed) resolve();
    for (const event of ['close', 'error']) socket.once(event, () => resolve());
  });

/** Node resets a socket only when nothing is on its way out; where something is, closing it at once comes nearest. */
function reset(socket: Socket): void {
  if (socket.destroyed || resetting.has(socket)) return;
  resetting.add(socket);
  if (socket.connecting || socket.writableEnded || socket.writableLength > 0) socket.destroy();
  else socket.resetAndDestroy();
}

const resetting = new WeakSet<Socket>();
