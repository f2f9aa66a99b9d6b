import { setTimeout as delay } from 'node:timers/promises';
import { effectiveSettings, loadConfig, readEnvironment, type Environment } from '@ragmesh/config';
import { isRagmeshError } from '@ragmesh/errors';
import {
  createLogger,
  reportUnexpected,
  startErrorReports,
  startProcessMetrics,
  startTracing,
  useServiceKeys,
  type Logger,
} from '@ragmesh/observability';
import { checkConfiguration } from './check-configuration.js';
import { exitCodeOf, explainFailure, type PortVariables } from './explain-failure.js';
import { meshVariables } from './mesh-variables.js';
import { MIGRATE_ONLY, migrateOnly } from './migrate-only.js';
import { openNetworkDrivers } from './network-drivers.js';
import { startProbeServer } from './probe-server.js';
import { processConfig, type ProcessConfig } from './process.config.js';
import type { AnyServiceDefinition } from './service-definition.js';
import { serviceKeysIn } from './service-key.js';
import { serveCalls, type RunningService } from './start-service.js';
import { onStopSignals } from './stop-signals.js';
import { TOPICS_ONLY, topicsOnly } from './topics-only.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
/** Beyond grace and deadline, for what comes after the drain: offsets, leases, traces, the database. */
const LAST_STEPS_MS = 5_000;

/** For the report of the error that ends a process. */
const LAST_REPORT_MS = 500;

/** Any service's definition; what its configuration holds concerns nobody here. */
type Runnable = Omit<AnyServiceDefinition, 'config'> & { readonly config: object };

/** Starts a service as the one service of this process, from its environment, and runs it until a signal ends it. */
export async function runService(runnable: Runnable): Promise<void> {
  const definition = runnable as AnyServiceDefinition;
  const environment = readEnvironment();
  try {
    if (process.argv.includes(MIGRATE_ONLY)) return await migrateOnly(definition, environment);
    if (process.argv.includes(TOPICS_ONLY)) return await topicsOnly(definition, environment);
    checkConfiguration([processConfig, definition.config], environment, [meshVariables]);
    tellSupervisor({ state: 'configured' });
    await ServiceProcess.start(definition, loadConfig(processConfig, environment), environment);
  } catch (error) {
    endWith(definition, error, portVariables(environment));
  }
}

/** Ends the process with what a person reads of the failure. */
function endWith({ name }: Runnable, error: unknown, variables?: PortVariables): never {
  process.stderr.write(`ragmesh ${name}: ${explainFailure(error, variables)}\n`);
  process.exit(exitCodeOf(error));
}

/** What a process that was forked tells whoever forked it. */
export interface ServiceProgress {
  /** `configured`: its configuration is right; `ready`: it answers calls; `consuming`: it takes events, too. */
  readonly state: 'configured' | 'ready' | 'consuming';
}

const tellSupervisor = (progress: ServiceProgress): void => void process.send?.(progress);

/** For the sentence about a port that is taken; what is not named here is the edge's. */
const portVariables = (environment: Environment): PortVariables =>
  Object.fromEntries(
    (['GRPC_PORT', 'PROBE_PORT'] as const).map((name) => [
      Number(environment[name] ?? processConfig.variables[name].spec.fallback),
      name,
    ]),
  );

/** One service, what it runs on, and its probes; from the first line of its log to the last. */
class ServiceProcess {
  #service: RunningService | undefined;
  #stopping = false;
  /** Ends what still waits for a server. */
  readonly #ending = new AbortController();
  /** What is closed after the service, last first. */
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor(
    private readonly definition: AnyServiceDefinition,
    private readonly config: ProcessConfig,
    private readonly logger: Logger,
  ) {}

  static async start(definition: AnyServiceDefinition, config: ProcessConfig, environment: Environment): Promise<void> {
    const self = new ServiceProcess(definition, config, createLogger(definition.name, config.LOG_LEVEL));
    self.#stopOnSignal();
    await self.#start(environment);
  }

  async #start(environment: Environment): Promise<void> {
    const { config, definition, logger } = this;
    const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
    const traced = { serviceName: `ragmesh-${definition.name}`, ...(endpoint ? { otlpEndpoint: endpoint } : {}) };
    this.#closers.push(await startTracing(traced));
    startProcessMetrics();
    if (config.SENTRY_DSN) this.#closers.push(await startErrorReports(config.SENTRY_DSN, definition.name));
    useServiceKeys(serviceKeysIn(config.SERVICE_AUTH_KEY));
    const probes = await startProbeServer(config.PROBE_HOST, config.PROBE_PORT, {
      isAlive: () => this.#isAlive,
      isReady: () => this.#isReady(),
    });
    this.#closers.push(() => probes.close());
    this.#service = await this.#startPatiently(environment);
    if (this.#stopping) return;
    logger.info(
      { probes: probes.port, ...(this.#service.url ? { url: this.#service.url } : {}) },
      'The service is ready',
    );
    tellSupervisor({ state: 'ready' });
  }

  /** Servers that are not there yet, as when everything starts at once, are waited for; other failures end the start. */
  async #startPatiently(environment: Environment): Promise<RunningService> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await this.#startOnce(environment);
      } catch (error) {
        if (!isRagmeshError(error) || error.retry === 'permanent') throw error;
        this.logger.warn({ code: error.code, err: error }, 'The service cannot start yet and will try again');
        await delay(pauseMs);
      }
    }
  }

  async #startOnce(environment: Environment): Promise<RunningService> {
    const { definition, config, logger } = this;
    const health = { isAlive: () => this.#isAlive, isReady: () => this.#canServe };
    const drivers = await openNetworkDrivers(definition.name, config, { logger, health, ending: this.#ending.signal });
    try {
      const service = await serveCalls(
        definition,
        { ...drivers, settings: effectiveSettings(processConfig, environment) },
        environment,
      );
      Promise.all([drivers.bus.connected, service.consuming]).then(
        () => this.#consumes(),
        (error: unknown) => this.#cannotConsume(error),
      );
      this.#closers.push(() => drivers.close());
      return service;
    } catch (error) {
      await drivers.close();
      throw error;
    }
  }

  #consumes(): void {
    this.logger.info('The service takes events');
    tellSupervisor({ state: 'consuming' });
  }

  /** Calls are answered, but without events the service does half of its work: another process tries again. */
  #cannotConsume(error: unknown): void {
    if (this.#stopping) return;
    this.logger.error({ err: error }, 'The service takes no events and ends');
    endWith(this.definition, error);
  }

  get #isAlive(): boolean {
    return this.#service?.isAlive() ?? true;
  }

  get #canServe(): boolean {
    return this.#service !== undefined && !this.#stopping && this.#isAlive;
  }

  async #isReady(): Promise<boolean> {
    return this.#canServe && (await this.#service!.isDatabaseThere());
  }

  /** SIGTERM asks for an orderly end, the second one for an end at once; so does a supervisor that is gone. */
  #stopOnSignal(): void {
    const stop = (): void => {
      this.#stopping = true;
      this.#stop().then(
        () => process.exit(0),
        (error: unknown) => {
          this.logger.error({ err: error }, 'The service did not end in order');
          process.exit(1);
        },
      );
    };
    onStopSignals(
      () => this.#stopping || stop(),
      () => process.exit(1),
    );
    process.on('uncaughtException', (error) => {
      this.logger.fatal({ err: error }, 'The process is in an unknown state and ends');
      if (!this.config.SENTRY_DSN) process.exit(1);
      reportUnexpected(error, { service: this.definition.name, where: 'process' });
      setTimeout(() => process.exit(1), LAST_REPORT_MS); // what is known of it leaves first
    });
    if (process.connected) process.once('disconnect', () => this.#stopping || stop());
  }

  /** DESIGN §6: not ready → grace → drain by the deadline → database last. */
  async #stop(): Promise<void> {
    const { SHUTDOWN_GRACE_SECONDS: grace, SHUTDOWN_DEADLINE_SECONDS: deadline } = this.config;
    setTimeout(() => process.exit(1), (grace + deadline) * 1000 + LAST_STEPS_MS).unref();
    this.logger.info({ grace, deadline }, 'The service stops');
    this.#service?.beginDrain();
    if (this.#service) await delay(grace * 1000);
    this.#ending.abort();
    await this.#service?.close();
    for (const close of this.#closers.toReversed()) await close();
    this.logger.info('The service has stopped');
  }
}
