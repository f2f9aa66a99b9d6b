import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService, type AnyServiceDefinition, type Drivers, type RunningService } from '@ragmesh/bootstrap';
import { topicSpecs, type ServiceName } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedBusDriver } from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { documentService } from '@ragmesh/service-document';
import { gatewayService } from '../src/gateway.service.js';

export interface EdgeWithDocuments {
  readonly url: string;
  /** Where the services keep their files. */
  readonly folder: string;
  /** Connection string of a database of this installation. */
  databaseUrl(service: ServiceName): string;
  close(): Promise<void>;
}

/** The gateway and the document service behind it: what is uploaded is stored, parsed and cut, and not indexed. */
export async function startEdgeWithDocuments(
  environment: Readonly<Record<string, string>>,
): Promise<EdgeWithDocuments> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-uploads-'));
  const postgres = await EmbeddedPostgres.start(dataDir);
  const bus = await EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') });
  await bus.provision(topicSpecs);
  const [port] = await freePorts(1);
  const addresses: Readonly<Record<string, string>> = { document: `127.0.0.1:${port}`, gateway: '127.0.0.1:0' };
  const drivers: Drivers = {
    bus,
    databaseUrl: (service) => postgres.url(`ragmesh_${service}`),
    openDatabase: (service) => new Database(createPool(postgres.url(`ragmesh_${service}`), { max: 5 })),
    grpcAddress: (service) => addresses[service] ?? '127.0.0.1:1',
    logger: (service) => createLogger(service, 'silent'),
    health: { isAlive: () => true, isReady: () => true },
  };
  const running: RunningService[] = [];
  for (const definition of [documentService, gatewayService] as unknown as AnyServiceDefinition[])
    running.push(
      await startService(definition, drivers, { RAGMESH_DATA_DIR: dataDir, SERVER_PORT: '0', ...environment }),
    );
  const close = async (): Promise<void> => {
    for (const service of running.toReversed()) await service.close();
    await bus.close();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url: running.at(-1)!.url!, folder: dataDir, databaseUrl: drivers.databaseUrl, close };
}
