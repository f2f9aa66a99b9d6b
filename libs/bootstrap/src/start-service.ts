import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { loadConfig, type ConfigDefinition, type Environment, type Variables } from '@ragmesh/config';
import { messagingV1 } from '@ragmesh/contracts';
import { CallContextInterceptor, GrpcClients, RpcErrorFilter, grpcTransport } from '@ragmesh/grpc';
import { Inbox, inboxMigrations } from '@ragmesh/inbox';
import { RagmeshServer } from '@ragmesh/messaging';
import { gauge, nestLogger, type Logger } from '@ragmesh/observability';
import { Outbox, OutboxRelay, outboxMigrations } from '@ragmesh/outbox';
import { Notifications, migrate } from '@ragmesh/postgres';
import { sagaMigrations } from '@ragmesh/saga';
import { RuntimeModule, type Runtime } from './runtime.module.js';
import type { AnyServiceDefinition, Drivers, HttpEdge } from './service-definition.js';

const HOUSEKEEPING_MS = 15_000;

/** A service that takes calls and events. */
export interface RunningService {
  readonly name: string;
  /** Base URL, when the service has an HTTP edge. */
  readonly url?: string;
  isAlive(): boolean;
  /** Stops fetching, finishes or aborts what runs, and closes the database last. */
  close(): Promise<void>;
}

@Module({})
class ServiceRoot {}

/**
 * Starts one service: configuration, migrations, database, then its ways in. Resolves once it answers.
 * @throws RagmeshError CONFIG.INVALID with every fault of the configuration at once.
 */
export async function startService(
  definition: AnyServiceDefinition,
  drivers: Drivers,
  environment: Environment,
): Promise<RunningService> {
  const { name } = definition;
  const config = loadConfig(definition.config as ConfigDefinition<Variables>, environment);
  const logger = drivers.logger(name);
  const url = drivers.databaseUrl(name);
  await migrate(url, outboxMigrations, inboxMigrations, sagaMigrations, definition.migrations);
  const database = drivers.openDatabase(name);
  const outbox = new Outbox(database, name);
  const inbox = new Inbox(database, outbox, name);
  const clients = new GrpcClients((service) => drivers.grpcAddress(service));
  const notifications = new Notifications(url);
  const relay = new OutboxRelay({ service: name, database, driver: drivers.bus, outbox, notifications, logger });
  const runtime: Runtime = {
    service: name,
    config,
    logger,
    database,
    outbox,
    clients,
    health: drivers.health,
    bus: drivers.bus,
  };
  const server = new RagmeshServer({ service: name, driver: drivers.bus, journal: inbox, logger });
  const app = await createApp(definition, runtime, server, drivers.grpcAddress(name));
  await relay.start();
  await app.init();
  await app.startAllMicroservices();
  const address = definition.http ? await listen(app, definition.http, config) : undefined;
  const timer = setInterval(() => void keepHouse(name, inbox, server, logger), HOUSEKEEPING_MS).unref();
  return {
    name,
    ...(address ? { url: address } : {}),
    isAlive: () => server.isAlive(),
    close: async () => {
      clearInterval(timer);
      await app.close();
      await relay.stop();
      clients.close();
      await notifications.close();
      await database.close();
    },
  };
}

async function createApp(
  definition: AnyServiceDefinition,
  runtime: Runtime,
  server: RagmeshServer,
  grpcAddress: string,
): Promise<NestFastifyApplication> {
  const root: DynamicModule = { module: ServiceRoot, imports: [RuntimeModule.with(runtime), definition.module] };
  const adapter = new FastifyAdapter({
    bodyLimit: 64 * 1024 * 1024,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      reply.server.errorHandler(error, request, reply),
  });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: nestLogger(runtime.logger),
    abortOnError: false,
    bodyParser: definition.http !== undefined,
  });
  if (definition.http) await definition.http.configure(app, runtime.config as never);
  else app.useGlobalFilters(new RpcErrorFilter()).useGlobalInterceptors(new CallContextInterceptor());
  const grpc = grpcTransport([...definition.grpc, messagingV1.DeadLetterService], grpcAddress);
  app.connectMicroservice(grpc, { inheritAppConfig: definition.http === undefined });
  app.connectMicroservice({ strategy: server }, { inheritAppConfig: definition.http === undefined });
  return app;
}

async function listen(app: NestFastifyApplication, http: HttpEdge<never>, config: unknown): Promise<string> {
  const { host, port } = http.address(config as never);
  await app.listen({ host, port });
  const address = app.getHttpServer().address() as { port: number };
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

async function keepHouse(service: string, inbox: Inbox, server: RagmeshServer, logger: Logger): Promise<void> {
  try {
    for (const [topic, lag] of await lagByTopic(server)) {
      gauge('ragmesh_consumer_lag_records').set({ service, topic }, lag.records);
      gauge('ragmesh_consumer_lag_seconds').set({ service, topic }, lag.seconds);
    }
    await inbox.cleanUp();
  } catch (error) {
    logger.warn({ err: error }, 'Housekeeping will be tried again');
  }
}

async function lagByTopic(server: RagmeshServer): Promise<Map<string, { records: number; seconds: number }>> {
  const byTopic = new Map<string, { records: number; seconds: number }>();
  for (const { topic, records, seconds } of (await server.subscription?.lag()) ?? []) {
    const sum = byTopic.get(topic) ?? { records: 0, seconds: 0 };
    byTopic.set(topic, { records: sum.records + records, seconds: Math.max(sum.seconds, seconds) });
  }
  return byTopic;
}
