import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptServiceKey, peerVariable } from '@ragmesh/bootstrap';
import { secretFileName, type Environment } from '@ragmesh/config';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';
import { CannotStart, SupervisedService } from './supervised-service.js';

const DRAIN_SECONDS = 5;
const STOP_WITHIN_MS = 15_000;

const mainOf = (service: ServiceName): string =>
  fileURLToPath(new URL(`../../${service}/dist/main.js`, import.meta.url));

export interface MeshOptions {
  /** What all services read: addresses of servers and settings. */
  readonly environment: Environment;
  readonly dataDir: string;
  readonly say: (sentence: string) => void;
}

/** The eight services as child processes, the gateway last: once it answers, everything behind it does. */
export class Supervisor {
  private constructor(
    private readonly services: readonly SupervisedService[],
    readonly logs: string,
  ) {}

  /** Resolves once all are ready. @throws CannotStart with the faults of all services, each once. */
  static async start({ environment, dataDir, say }: MeshOptions): Promise<Supervisor> {
    const logs = join(resolve(dataDir), 'logs');
    await mkdir(logs, { recursive: true });
    const isKeyGiven = environment['SERVICE_AUTH_KEY'] ?? environment[secretFileName('SERVICE_AUTH_KEY')];
    const key = isKeyGiven ? {} : { SERVICE_AUTH_KEY: await keptServiceKey(resolve(dataDir)) };
    const own: Record<string, string> = await sharedEnvironment(resolve(dataDir));
    const compiled = { NODE_COMPILE_CACHE: join(dataDir, 'compile-cache') };
    const shared: Environment = { ...compiled, ...environment, ...key, ...own };
    const ports = await freePorts(serviceNames.length);
    const services = serviceNames.map((name, index) => {
      const probePort = ports[index]!;
      return new SupervisedService({
        name,
        main: mainOf(name),
        environment: { ...shared, GRPC_PORT: portOf(shared[peerVariable(name)]!), PROBE_PORT: String(probePort) },
        probeUrl: `http://127.0.0.1:${probePort}/healthz`,
        logFile: join(logs, `${name}.log`),
        stopWithinMs: STOP_WITHIN_MS,
        say,
      });
    });
    const supervisor = new Supervisor(services, logs);
    const faults = await startAll(services);
    if (faults.length === 0) return supervisor;
    await supervisor.stop();
    throw new CannotStart(['The services cannot start:', ...faults].join('\n'));
  }

  /** A service of this mesh. */
  service(name: ServiceName): SupervisedService {
    return this.services[serviceNames.indexOf(name)]!;
  }

  /** Ends the edge first, so that nothing new comes in, then everything else at once. */
  async stop(): Promise<void> {
    await this.service('gateway').stop();
    await Promise.all(this.services.filter(({ name }) => name !== 'gateway').map((service) => service.stop()));
  }
}

/** Resolves once all are ready, or with the lines that say why not: those of every service, each once. */
async function startAll(services: readonly SupervisedService[]): Promise<string[]> {
  const faults: string[] = [];
  const starts = services.map(async (service) => {
    await service.start().catch((error: Error) => {
      faults.push(...error.message.split('\n'));
      throw error;
    });
  });
  await Promise.all(starts).catch(() => Promise.all(services.map(({ configured }) => configured)));
  const isHeading = (line: string): boolean => line.endsWith(':');
  return [...new Set(faults.filter((line) => !isHeading(line)))];
}

const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);

/** Services call each other on loopback ports that stay the same when one is started again. */
async function sharedEnvironment(dataDir: string): Promise<Record<string, string>> {
  const ports = await freePorts(serviceNames.length);
  const addresses = serviceNames.map((name, index) => [peerVariable(name), `127.0.0.1:${ports[index]}`]);
  return {
    RAGMESH_MODE: 'mesh',
    RAGMESH_DATA_DIR: dataDir,
    GRPC_HOST: '127.0.0.1',
    PROBE_HOST: '127.0.0.1',
    // Nobody balances between copies here, and whoever presses Ctrl+C waits for it.
    SHUTDOWN_GRACE_SECONDS: '0',
    SHUTDOWN_DEADLINE_SECONDS: String(DRAIN_SECONDS),
    ...Object.fromEntries(addresses),
  };
}
