import { readTlsFiles } from '@ragmesh/config';
import { databaseName, type ServiceName } from '@ragmesh/contracts';
import type { Logger } from '@ragmesh/observability';
import { Database, createPool } from '@ragmesh/postgres';
import { CertificateWatch, tellExpiriesOfStart } from './certificate-watch.js';
import { openBus } from './open-bus.js';
import type { ProcessConfig } from './process.config.js';
import { databaseUrl, listenAddress, peerAddress } from './service-addresses.js';
import type { Drivers, ProcessHealth } from './service-definition.js';
import { databaseServerUrl, grpcTls } from './tls.config.js';

/** What a service in a process of its own runs on: the servers that its environment names. */
export interface NetworkDrivers extends Drivers {
  close(): Promise<void>;
}

/** What the drivers are told of their process. */
export interface ProcessContext {
  readonly logger: Logger;
  readonly health: ProcessHealth;
  /** Servers that are still waited for need not come any more. */
  readonly ending: AbortSignal;
}

export async function openNetworkDrivers(
  self: ServiceName,
  config: ProcessConfig,
  { logger, health, ending }: ProcessContext,
): Promise<NetworkDrivers> {
  const serverUrl = databaseServerUrl(config);
  const calls = CertificateWatch.start('GRPC', () => grpcTls(config), logger);
  const database = CertificateWatch.start('DATABASE', () => readTlsFiles(config, 'DATABASE'), logger);
  const unwatch = (): void => [calls, database].forEach((watch) => watch?.close());
  tellExpiriesOfStart(config);
  const bus = await openBus(self, config, logger, ending).catch((error: unknown) => {
    unwatch();
    throw error;
  });
  const urlOf = (service: ServiceName): string => databaseUrl(serverUrl, databaseName(service));
  return {
    bus,
    databaseUrl: urlOf,
    openDatabase: (service) =>
      new Database(createPool(urlOf(service), { max: config.MAX_CONNECTIONS, applicationName: `ragmesh-${service}` })),
    grpcAddress: (service) => peerAddress(config, self, service),
    ...(calls ? { grpcTls: { ...calls.current, follow: (listener) => calls.follow(listener) } } : {}),
    listenAddress: () => listenAddress(config),
    drainMs: config.SHUTDOWN_DEADLINE_SECONDS * 1000,
    logger: () => logger,
    health,
    close: () => {
      unwatch();
      return bus.close();
    },
  };
}
