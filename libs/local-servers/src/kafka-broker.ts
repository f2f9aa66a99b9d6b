import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RagmeshError } from '@ragmesh/errors';
import { serverEnvironment } from '@ragmesh/postgres';
import { endWithThisProcess } from './end-with-this-process.js';
import { endOrphan, rememberServer } from './orphan.js';
import { serverProperties, type BrokerSettings } from './kafka-settings.js';

const POLL_MS = 50;
const START_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 20_000;
const STARTED = 'Kafka Server started';

// Starting matters more than peak speed: one garbage collector thread and the quick compiler.
const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Djava.awt.headless=true'];
const LOGGING = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
];

export interface BrokerOptions extends BrokerSettings {
  readonly jars: string;
  readonly heapMb: number;
  /** Called when a broker that had started ends and nobody stopped or killed it through its object. */
  readonly onExit?: (how: string) => void;
}

/** One broker process, to be killed, frozen and started again by fault tests. It keeps its ports and its data. */
export class KafkaBroker {
  #child: ChildProcess | undefined;
  #isEnding = false;

  constructor(private readonly options: BrokerOptions) {}

  /** The broker's number, from 1. */
  get node(): number {
    return this.options.node;
  }

  /** `host:port` of the listener without authentication. */
  get address(): string {
    return `127.0.0.1:${this.options.ports[this.node - 1]!.plain}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Writes the settings and, the first time, formats the folder for this cluster. */
  async prepare(clusterId: string): Promise<void> {
    const { folder } = this.options;
    mkdirSync(folder, { recursive: true });
    endOrphan(this.#file('pid'), [this.#file('server.properties')]);
    writeFileSync(this.#file('server.properties'), serverProperties(this.options), { mode: 0o600 });
    if (existsSync(join(folder, 'log', 'meta.properties'))) return;
    const format = ['format', '-t', clusterId, '-c', this.#file('server.properties')];
    const child = this.#java('kafka.tools.StorageTool', format);
    const [code] = await exitOf(child);
    if (code !== 0) throw this.#failure('could not format its data folder');
  }

  /** Resolves once the broker serves clients. */
  async start(): Promise<void> {
    if (this.isRunning) return;
    rmSync(this.#file('broker.log'), { force: true });
    const child = this.#java('kafka.Kafka', [this.#file('server.properties')]);
    this.#child = child;
    this.#isEnding = false;
    rememberServer(this.#file('pid'), child.pid, [this.#file('server.properties')]);
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!readFileSync(this.#file('broker.log'), 'utf8').includes(STARTED)) {
      if (!this.isRunning || performance.now() > deadline) {
        await this.kill();
        throw this.#failure('did not start');
      }
      await sleep(POLL_MS);
    }
    void exitOf(child).then(([code, signal]) => {
      if (this.#child === child && !this.#isEnding) this.options.onExit?.(`ended (${signal ?? `exit code ${code}`})`);
    });
  }

  /** Ends it as a machine that loses its power would. Resolves once the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Lets the broker hand over and close its logs; kills it when that takes too long. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_DEADLINE_MS);
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  /** Stops the process without closing its connections: clients see silence, not an error. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#isEnding = true;
    if (!child || !this.isRunning) return;
    const gone = exitOf(child);
    child.kill(signal);
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await gone;
    rmSync(this.#file('pid'), { force: true });
  }

  #java(mainClass: string, args: readonly string[]): ChildProcess {
    const { jars, heapMb } = this.options;
    const log = openSync(this.#file('broker.log'), 'a', 0o600);
    const jvm = [
      `-Xmx${heapMb}m`,
      ...JVM,
      ...archivedClasses(jars),
      ...LOGGING,
      '-cp',
      join(jars, '*'),
      mainClass,
      ...args,
    ];
    // Its own process group: Ctrl-C in a terminal reaches us, and we stop it in order.
    const child = spawn('java', jvm, { stdio: ['ignore', log, log], detached: true, env: serverEnvironment() });
    closeSync(log);
    child.on('error', () => undefined); // also seen as an exit
    endWithThisProcess(child); // one whose parent was killed goes on: see `endOrphan`
    return child;
  }

  #file(name: string): string {
    return join(this.options.folder, name);
  }

  #failure(what: string): RagmeshError {
    const log = existsSync(this.#file('broker.log')) ? readFileSync(this.#file('broker.log'), 'utf8') : '';
    const last = log.trimEnd().split('\n').slice(-12).join('\n');
    return new RagmeshError('DEPENDENCY.UNAVAILABLE', `Kafka broker ${this.node} ${what}:\n${last}`);
  }
}

/** What `npm run servers` kept of a broker's classes; Java does without it where it does not fit. */
function archivedClasses(jars: string): string[] {
  const archive = join(jars, '..', 'classes.jsa');
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
}

function exitOf(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve([child.exitCode, child.signalCode]);
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve([code, signal]));
    child.once('error', () => resolve([null, null]));
  });
}
