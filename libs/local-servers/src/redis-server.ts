import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { serverEnvironment } from '@ragmesh/postgres';
import { endWithThisProcess } from './end-with-this-process.js';
import { freePorts } from './free-ports.js';
import { endOrphan, rememberServer } from './orphan.js';

const BINARY = 'redis-server';
const READY_WITHIN_MS = 15_000;

export interface RedisServerOptions {
  /** Where it keeps its snapshot. A Redis that was started here before, and left behind by a process that was killed, ends first. */
  readonly dataDir: string;
  /** Without it a free one. */
  readonly port?: number;
  /** Files (PEM) to speak TLS with, and nothing but TLS, to clients with a certificate of the same authority. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** Further arguments of redis-server, for instance `['--maxmemory', '4mb']`. */
  readonly args?: readonly string[];
  /** Called when it ends after it had answered and nobody stopped or killed it here; {@link RedisServer.restart} starts it again. */
  readonly onExit?: (how: string) => void;
}

/** A real Redis as a child process on the loopback interface, without persistence unless its arguments say otherwise. */
export class RedisServer {
  #child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly options: RedisServerOptions,
  ) {}

  /** Whether this machine has one. */
  static isInstalled(): boolean {
    return spawnSync(BINARY, ['--version'], { stdio: 'ignore' }).status === 0;
  }

  /** Resolves once it answers. @throws Error when it ends before, or takes longer than 15 s. */
  static async start(options: RedisServerOptions): Promise<RedisServer> {
    await mkdir(options.dataDir, { recursive: true });
    endOrphan(pidFile(options.dataDir), [BINARY]);
    const port = options.port ?? (await freePorts(1))[0]!;
    const server = new RedisServer(port, options);
    await server.#run();
    return server;
  }

  get url(): string {
    return `${this.options.tls ? 'rediss' : 'redis'}://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Ends it properly; what its arguments persist is saved. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Ends it as a crash does: nothing is saved. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Freezes it: it accepts connections and answers nothing, until {@link resume}. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Runs it again on the same port and data folder, after a stop or a kill. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#run();
  }

  async #run(): Promise<void> {
    const { dataDir, tls, args = [] } = this.options;
    const own = [
      '--bind',
      '127.0.0.1',
      ...(tls ? tlsArguments(this.port, tls) : ['--port', String(this.port)]),
      '--dir',
      dataDir,
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    // Its own process group: Ctrl-C in a terminal reaches us, and we stop it in order.
    const child = spawn(BINARY, [...own, ...args], { stdio: 'ignore', detached: true, env: serverEnvironment() });
    this.#child = child;
    endWithThisProcess(child);
    rememberServer(pidFile(dataDir), child.pid, [BINARY, `:${this.port}`]); // the title it gives itself
    const failed = new AbortController();
    child.once('error', (error) => failed.abort(error));
    child.once('exit', (code) => failed.abort(new Error(`redis-server ended with code ${code} before it answered`)));
    const end = performance.now() + READY_WITHIN_MS;
    while (!(await answersPing(this.port, tls))) {
      failed.signal.throwIfAborted();
      if (performance.now() > end) throw new Error(`redis-server gave no answer within ${READY_WITHIN_MS} ms`);
      await delay(10);
    }
    failed.signal.throwIfAborted(); // somebody else's answered on its port
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.options.onExit?.(`ended (${signal ?? `exit code ${code}`})`);
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    rmSync(pidFile(this.options.dataDir), { force: true }); // before another one is started meanwhile and remembered there
    child.kill('SIGCONT');
    child.kill(signal);
    await once(child, 'exit');
  }
}

const pidFile = (dataDir: string): string => join(dataDir, 'redis.pid');

type TlsFiles = NonNullable<RedisServerOptions['tls']>;

const tlsArguments = (port: number, { ca, cert, key }: TlsFiles): string[] => [
  ...['--port', '0', '--tls-port', String(port)],
  ...['--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key],
];

function connectTo(port: number, tls: TlsFiles | undefined, connected: () => void): Socket {
  if (!tls) return connect(port, '127.0.0.1', connected);
  const [ca, cert, key] = [tls.ca, tls.cert, tls.key].map((file) => readFileSync(file));
  return connectTls({ port, host: '127.0.0.1', ca, cert, key }, connected);
}

function answersPing(port: number, tls: TlsFiles | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo(port, tls, () => socket.write('PING\r\n'));
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1_000, () => settle(false));
    socket.once('data', (answer: Buffer) => settle(answer.toString().startsWith('+PONG')));
    socket.once('error', () => settle(false));
  });
}
