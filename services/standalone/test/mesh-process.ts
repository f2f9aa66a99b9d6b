import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-ports.js';

const MAIN = fileURLToPath(new URL('./crash-main.mjs', import.meta.url));
const START_WITHIN_MS = 60_000;

/** A standalone ragmesh in a process of its own, to be killed. */
export class MeshProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  /**
   * @param crashAt number of the commit or publish step at which the process kills itself; none without it.
   * @throws Error when it ends before it is ready.
   */
  static async start(dataDir: string, crashAt?: number): Promise<MeshProcess> {
    const [port] = await freePorts(1);
    const env = {
      PATH: process.env['PATH'],
      RAGMESH_DATA_DIR: dataDir,
      SERVER_PORT: String(port),
      APP_EMBEDDINGS_BACKEND: 'mock',
    };
    const child = fork(MAIN, [String(crashAt ?? '')], {
      env,
      execArgv: ['--no-warnings'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
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
