import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServiceProgress } from '@ragmesh/bootstrap';
import type { ServiceName } from '@ragmesh/contracts';

const START_WITHIN_MS = 60_000;

const mainOf = (service: ServiceName): string =>
  fileURLToPath(new URL(`../../${service}/dist/main.js`, import.meta.url));

/** One service as a process of its own, as a container would run it. */
export class ServiceCopy {
  #said = '';

  private constructor(
    readonly service: ServiceName,
    readonly environment: Readonly<Record<string, string>>,
    private readonly child: ChildProcess,
  ) {
    for (const output of [child.stdout, child.stderr])
      output?.on('data', (bytes: Buffer) => (this.#said += String(bytes)));
  }

  /** Starts it, from the build or from another entry, and does not wait for anything. */
  static spawn(
    service: ServiceName,
    environment: Readonly<Record<string, string>>,
    main: string = mainOf(service),
  ): ServiceCopy {
    const child = fork(main, [], {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...environment },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    return new ServiceCopy(service, environment, child);
  }

  /** Resolves once it is ready. @throws Error with what it said when it ends before. */
  static async start(...args: Parameters<typeof ServiceCopy.spawn>): Promise<ServiceCopy> {
    const copy = ServiceCopy.spawn(...args);
    const [service] = args;
    const { child } = copy;
    const late = setTimeout(() => child.kill('SIGKILL'), START_WITHIN_MS);
    const ended = once(child, 'close').then(() => Promise.reject(new Error(`${service} did not start: ${copy.said}`)));
    ended.catch(() => undefined); // after the start an end is what the spec is about
    const ready = new Promise<void>((resolve) =>
      child.on('message', ({ state }: ServiceProgress) => state === 'ready' && resolve()),
    );
    await Promise.race([ready, ended]);
    clearTimeout(late);
    return copy;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Everything it wrote so far. */
  get said(): string {
    return this.#said;
  }

  get probeUrl(): string {
    return `http://127.0.0.1:${this.environment['PROBE_PORT']}`;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Its exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode ?? this.child.signalCode!;
  }

  /** Asks it to end and waits until it did. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.signal('SIGTERM');
    return this.ended();
  }
}
