import { fork, spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePorts } from '@ragmesh/local-servers';

const MAIN = fileURLToPath(new URL('./crash-main.mjs', import.meta.url));
const START_WITHIN_MS = 60_000;

const NODE_OPTIONS = ['--no-warnings'];
const STDIO: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc'];

export interface ProcessOptions {
  /** Number of the commit or publish step at which the process kills itself; none without it. */
  readonly crashAt?: number;
  /** How long it lives, whether it is ready by then or not; for ever without it. */
  readonly dieAfterMs?: number;
  /** Bytes after which a file takes no more, as on a full disk. */
  readonly largestFile?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** The shell sets the limit, in blocks of 512 bytes, and lets a write beyond it fail instead of ending the process. */
function spawnLimited(env: NodeJS.ProcessEnv, bytes: number): ChildProcess {
  const command = `trap '' XFSZ; ulimit -f ${bytes / 512}; exec "$@"`;
  return spawn('sh', ['-c', command, 'sh', process.execPath, ...NODE_OPTIONS, MAIN], { env, stdio: STDIO });
}

/** A standalone ragmesh in a process of its own, to be killed. */
export class MeshProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /**
   * @throws Error when it ends before it is ready.
   */
  static async start(dataDir: string, options: ProcessOptions = {}): Promise<MeshProcess> {
    const { crashAt, dieAfterMs, largestFile, settings } = options;
    const [port] = await freePorts(1);
    const env = {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      RAGMESH_DATA_DIR: dataDir,
      SERVER_PORT: String(port),
      APP_EMBEDDINGS_BACKEND: 'mock',
      ...settings,
    };
    const child = largestFile
      ? spawnLimited(env, largestFile)
      : fork(MAIN, [String(crashAt ?? '')], { env, execArgv: NODE_OPTIONS, stdio: STDIO });
    if (dieAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), dieAfterMs);
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`ragmesh ended with ${code ?? signal} before it was ready`);
    });
    ended.catch(() => undefined); // after the start an end is what the spec is about
    const started = once(child, 'message').then(() => new MeshProcess(child, `http://127.0.0.1:${port}`));
    const late = AbortSignal.timeout(START_WITHIN_MS);
    late.addEventListener('abort', () => child.kill('SIGKILL'));
    return Promise.race([started, ended as Promise<never>]);
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Ends the process as a power cut would, as far as a process can tell. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  async ended(): Promise<void> {
    if (this.isRunning) await once(this.child, 'exit');
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}
