import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService, type AnyServiceDefinition, type RunningService } from '@ragmesh/bootstrap';
import { topicSpecs } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedBusDriver } from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { gatewayService } from '../src/gateway.service.js';

/** Nobody listens there: whatever needs another service fails as it does in an outage. */
const NOBODY = '127.0.0.1:1';

export interface EdgeAlone {
  readonly url: string;
  readonly database: Database;
  readonly bus: EmbeddedBusDriver;
  /** Every route of the running router: `GET /v1/documents/:id`. */
  routes(): string[];
  /** Starts the gateway again, on the same database; its `url` is another then. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The gateway with its database and nothing behind it.
 * @param behind services that are there all the same, such as the one that knows whose tokens hold.
 */
export async function startEdgeAlone(
  environment: Readonly<Record<string, string>> = {},
  behind: readonly unknown[] = [],
): Promise<EdgeAlone> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-edge-'));
  const postgres = await EmbeddedPostgres.start(dataDir);
  const bus = await EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') });
  await bus.provision(topicSpecs);
  const open = (service = 'gateway'): Database =>
    new Database(createPool(postgres.url(`ragmesh_${service}`), { max: 10, applicationName: 'edge' }));
  const others = behind as readonly AnyServiceDefinition[];
  const ports = await freePorts(others.length);
  const addresses = new Map<string, string>(others.map(({ name }, at) => [name, `127.0.0.1:${ports[at]}`]));
  const drivers = {
    bus,
    databaseUrl: (service: string) => postgres.url(`ragmesh_${service}`),
    openDatabase: open,
    grpcAddress: (service: string) => (service === 'gateway' ? '127.0.0.1:0' : (addresses.get(service) ?? NOBODY)),
    logger: () => createLogger('gateway', 'error'),
    health: { isAlive: () => true, isReady: () => true },
  };
  const routes: string[] = [];
  const { http } = gatewayService;
  const watched = {
    ...gatewayService,
    http: {
      ...http,
      configure: async (...[app, config]: Parameters<typeof http.configure>) => {
        const server = app.getHttpAdapter().getInstance();
        server.addHook(
          'onRoute',
          ({ method, url }) => void routes.push(...[method].flat().map((name) => `${name} ${url}`)),
        );
        await http.configure(app, config);
      },
    },
  };
  const definition = watched as unknown as AnyServiceDefinition;
  const running: RunningService[] = [];
  for (const other of others) running.push(await startService(other, drivers, environment));
  const start = (): Promise<RunningService> => startService(definition, drivers, { SERVER_PORT: '0', ...environment });
  let gateway = await start();
  const database = open();
  const close = async (): Promise<void> => {
    await gateway.close();
    for (const service of running) await service.close();
    await database.close();
    await bus.close();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  const restart = async (): Promise<void> => {
    await gateway.close();
    gateway = await start();
  };
  return {
    get url() {
      return gateway.url!;
    },
    ...{ database, bus, routes: () => routes, restart, close },
  };
}
