import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT_CONFIGURATION, type ServiceProgress } from '@ragmesh/bootstrap';
import { LogFile } from './log-file.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A process that ran this long has recovered; its next end is a new story. */
const STEADY_MS = 30_000;
const LIVENESS_EVERY_MS = 5_000;
const LIVENESS_FAILURES = 3;
const KEPT_ERRORS = 8_192;

export interface SupervisedOptions {
  readonly name: string;
  /** The compiled entry. */
  readonly main: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly probeUrl: string;
  readonly logFile: string;
  /** Longest time for an orderly end. */
  readonly stopWithinMs: number;
  /** Told what a person should know: an end, a return. */
  readonly say: (sentence: string) => void;
}

/** A service that cannot start, in its own words. */
export class CannotStart extends Error {}

/**
 * One service as a child process: started again with growing pauses when it dies, killed when it no longer answers
 * /healthz, and given up only when its configuration is wrong.
 */
export class SupervisedService {
  readonly #log: LogFile;
  readonly #firstWork = Promise.withResolvers<void>();
  readonly #configured = Promise.withResolvers<void>();
  #child: ChildProcess | undefined;
  /** Resolves once the child has ended and everything it said was taken. */
  #closed: Promise<void> = Promise.resolve();
  #stopping = false;
  #pauseMs = FIRST_PAUSE_MS;
  #startedAt = 0;
  #isReady = false;
  #wasReady = false;
  #hasWorked = false;
  #errors = '';

  /** @throws Error when its log cannot be opened. */
  constructor(private readonly options: SupervisedOptions) {
    this.#log = new LogFile(options.logFile, options.say);
    this.#firstWork.promise.catch(() => undefined); // `start` tells it
  }

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Whether it answers calls now. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves once the service has read its configuration, whether it is right or not. */
  get configured(): Promise<void> {
    return this.#configured.promise;
  }

  /** Resolves once the service answers calls and takes events for the first time. @throws CannotStart when its configuration is wrong. */
  async start(): Promise<void> {
    this.#spawn();
    void this.#watchLiveness();
    await this.#firstWork.promise;
  }

  /** Ends it in order, or at once when it takes longer than it may. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), this.options.stopWithinMs);
    this.#child?.kill('SIGTERM');
    await this.#closed;
    clearTimeout(timer);
    await new Promise<void>((resolve) => this.#log.end(resolve));
  }

  #spawn(): void {
    this.#startedAt = performance.now();
    this.#errors = '';
    try {
      this.#watch(this.#fork());
    } catch (error) {
      void this.#ended(`has no process: ${(error as Error).message}`);
    }
  }

  #fork(): ChildProcess {
    const { main, environment } = this.options;
    // A process group of its own: Ctrl+C is for the supervisor, which then ends its children once and in order.
    return fork(main, [], {
      env: environment,
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
  }

  #watch(child: ChildProcess): void {
    // A machine that has no process or pipe left gives a child without a pid, which says `error` and never `exit`.
    const isThere = child.pid !== undefined;
    child.on('error', ({ message }) => {
      if (!isThere) void this.#ended(`has no process: ${message}`);
    });
    this.#child = isThere ? child : undefined;
    if (!isThere) return;
    child.stdout!.pipe(this.#log, { end: false });
    child.stderr!.pipe(this.#log, { end: false });
    child.stderr!.on('data', (bytes: Buffer) => (this.#errors = (this.#errors + String(bytes)).slice(-KEPT_ERRORS)));
    child.on('message', (message) => this.#progressed(message as ServiceProgress));
    const closed = Promise.withResolvers<void>();
    this.#closed = closed.promise;
    child.once('close', (code, signal) => {
      closed.resolve();
      void this.#ended(`ended (${signal ?? `exit code ${code}`})`, code);
    });
  }

  #progressed({ state }: ServiceProgress): void {
    this.#configured.resolve();
    if (state === 'ready') this.#ready();
    if (state !== 'consuming') return;
    this.#hasWorked = true;
    this.#firstWork.resolve();
  }

  #ready(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    if (this.#wasReady) this.options.say(`${this.name} is back after ${seconds.toFixed(1)} s`);
    this.#isReady = true;
    this.#wasReady = true;
  }

  async #ended(how: string, code: number | null = null): Promise<void> {
    this.#isReady = false;
    this.#configured.resolve();
    if (this.#stopping) return;
    if (code === EXIT_CONFIGURATION && !this.#hasWorked) {
      this.#firstWork.reject(new CannotStart(this.#errors.trim()));
      return;
    }
    if (performance.now() - this.#startedAt > STEADY_MS) this.#pauseMs = FIRST_PAUSE_MS;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    this.options.say(`${this.name} ${how} and starts again in ${pauseMs} ms`);
    await delay(pauseMs);
    if (!this.#stopping) this.#spawn();
  }

  /** What answers nothing any more does not end by itself. */
  async #watchLiveness(): Promise<void> {
    for (let failures = 0; !this.#stopping;) {
      await delay(LIVENESS_EVERY_MS, undefined, { ref: false });
      failures = !this.#isReady || (await this.#answers()) ? 0 : failures + 1;
      if (failures < LIVENESS_FAILURES || this.#stopping) continue;
      this.options.say(`${this.name} no longer answers and is ended`);
      this.#child?.kill('SIGKILL');
      failures = 0;
    }
  }

  async #answers(): Promise<boolean> {
    try {
      const { status } = await fetch(this.options.probeUrl, { signal: AbortSignal.timeout(LIVENESS_EVERY_MS) });
      return status === 200;
    } catch {
      return false;
    }
  }
}
