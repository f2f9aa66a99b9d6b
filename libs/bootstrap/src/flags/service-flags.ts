import { OpenFeature, ProviderEvents, type Client } from '@openfeature/server-sdk';
import { knowledgeV1 } from '@ragmesh/contracts';
import type { GrpcClients } from '@ragmesh/grpc';
import type { Logger } from '@ragmesh/observability';
import { FlagFeed } from './flag-feed.js';
import { FlagProvider } from './flag-provider.js';

const DEADLINE_MS = 1_500;
let started = 0;

/** Token of the service's OpenFeature client. */
export const FLAGS = Symbol('flags');
export type Flags = Client;

/** The flags of one running service. */
export interface ServiceFlags {
  readonly client: Flags;
  stop(): Promise<void>;
}

/** Connects a service to the flags. Its log level follows them by itself; everything else asks `client` when it matters. */
export async function startFlags(service: string, clients: GrpcClients, logger: Logger): Promise<ServiceFlags> {
  const provider = new FlagProvider();
  const domain = `${service}-${(started += 1)}`; // a process may run several services, and one of them several times
  await OpenFeature.setProviderAndWait(domain, provider);
  const client = OpenFeature.getClient(domain);
  const configured = logger.level;
  client.addHandler(ProviderEvents.ConfigurationChanged, async () => {
    logger.level = await client.getStringValue('log_level', configured);
  });
  const feed = new FlagFeed(
    provider,
    (knownRevision) => clients.of(knowledgeV1.FlagService).listFlags({ knownRevision }, { deadlineMs: DEADLINE_MS }),
    logger,
  );
  feed.start();
  return { client, stop: () => feed.stop() };
}
