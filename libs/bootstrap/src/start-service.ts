import {
  effectiveSettings,
  loadConfig,
  type ConfigDefinition,
  type Environment,
  type Setting,
  type Variables,
} from '@ragmesh/config';
import { GrpcClients, GuardedClients } from '@ragmesh/grpc';
import { Inbox, ReplayFollower, keepRefusedEvents } from '@ragmesh/inbox';
import { BestEffortPublisher, RagmeshServer } from '@ragmesh/messaging';
import { Outbox, OutboxRelay } from '@ragmesh/outbox';
import { Notifications } from '@ragmesh/postgres';
import { CertificateWatch, tellExpiriesOfStart } from './certificate-watch.js';
import { createApp, listen } from './create-app.js';
import { answersInTime } from './database-ping.js';
import { startFlags } from './flags/service-flags.js';
import { startHousekeeping } from './housekeeping.js';
import { migrateService } from './migrate-only.js';
import type { Runtime } from './runtime.module.js';
import type { AnyServiceDefinition, Drivers } from './service-definition.js';
import { ServiceReport } from './service-report.js';

const DEFAULT_DRAIN_MS = 10_000;

/** A service that takes calls. */
export interface RunningService {
  readonly name: string;
  /** Resolves once it takes events, too. Rejects when it never will; the service should be closed then. */
  readonly consuming: Promise<unknown>;
  /** Base URL, when the service has an HTTP edge. */
  readonly url?: string;
  isAlive(): boolean;
  /** Whether its own database answers within two seconds. */
  isDatabaseThere(): Promise<boolean>;
  /** Tells HTTP clients to connect elsewhere from now on, while everything still works. */
  beginDrain(): void;
  /** Stops fetching, finishes or aborts what runs, and closes the database last. */
  close(): Promise<void>;
}

/** What is undone, last first, when a service ends or its start fails half-way. */
type Undo = () => unknown;

/**
 * Starts one service: configuration, migrations, database, then its ways in. Resolves once it answers calls and takes
 * events; a start that fails leaves nothing open.
 * @throws RagmeshError CONFIG.INVALID with every fault of the configuration at once.
 */
export async function startService(
  definition: AnyServiceDefinition,
  drivers: Drivers,
  environment: Environment,
): Promise<RunningService> {
  const service = await serveCalls(definition, drivers, environment);
  try {
    await service.consuming;
    return service;
  } catch (error) {
    await service.close().catch(() => undefined); // why it did not start says more
    throw error;
  }
}

/**
 * As {@link startService}, but does not wait for a place in the consumer group: after a crash the group keeps the dead
 * member's place for a while, and calls need not wait for that.
 */
export async function serveCalls(
  definition: AnyServiceDefinition,
  drivers: Drivers,
  environment: Environment,
): Promise<RunningService> {
  const undo: Undo[] = [];
  try {
    return await start(definition, drivers, environment, undo);
  } catch (error) {
    await undoAll(undo).catch(() => undefined); // what failed first is what matters
    throw error;
  }
}

async function start(
  definition: AnyServiceDefinition,
  drivers: Drivers,
  environment: Environment,
  undo: Undo[],
): Promise<RunningService> {
  const { name, http } = definition;
  const config = loadConfig(definition.config as ConfigDefinition<Variables>, environment);
  const { drainMs = DEFAULT_DRAIN_MS } = drivers;
  const settings = settingsOf(definition, drivers, environment);
  const runtime = { ...(await openRuntime(definition, drivers, config, undo)), settings };
  const { database, outbox, logger } = runtime;
  const inbox = new Inbox(database, outbox, name);
  const events = new RagmeshServer({ service: name, driver: drivers.bus, journal: inbox, logger, drainMs });
  const certificate = CertificateWatch.start('SERVER', () => http?.tls?.(config as never), logger);
  undo.push(() => certificate?.close());
  tellExpiriesOfStart(config);
  const parts = await createApp(definition, runtime, events, drivers, certificate);
  const { app, calls, edge, answerCalls, takeEvents } = parts;
  undo.push(() => app.close());
  await app.init();
  await answerCalls();
  let consuming: Promise<unknown> = Promise.resolve();
  const stopEvents = async (): Promise<void> => {
    const isConsuming = await consuming.then(
      () => true,
      () => false,
    );
    // What could not be committed comes again and is known; the rest of the shutdown must go on.
    if (isConsuming) await events.close().catch((err: unknown) => logger.warn({ err }, 'Events did not stop in order'));
  };
  undo.push(() => Promise.all([stopEvents(), calls.drain(drainMs), edge?.finish(drainMs)]));
  const url = http ? await listen(app, http, config) : undefined;
  consuming = takeEvents();
  consuming.catch(() => undefined); // whoever started the service is told
  undo.push(startHousekeeping(name, inbox, events, logger));
  const publisher = new BestEffortPublisher(name, drivers.bus, logger);
  const report = new ServiceReport(name, publisher, () => drivers.health.isReady());
  report.start();
  undo.push(() => report.stop());
  const follower = new ReplayFollower(database, outbox, name, logger);
  follower.start();
  undo.push(() => follower.stop());
  return {
    name,
    ...(url ? { url } : {}),
    consuming,
    isAlive: () => events.isAlive(),
    isDatabaseThere: () => answersInTime(database),
    beginDrain: () => edge?.begin(),
    close: () => undoAll(undo),
  };
}

/** Database, outbox with its relay, and clients: what every service's providers are given. */
async function openRuntime(
  definition: AnyServiceDefinition,
  drivers: Drivers,
  config: unknown,
  undo: Undo[],
): Promise<Omit<Runtime, 'settings'>> {
  const { name } = definition;
  const logger = drivers.logger(name);
  const url = drivers.databaseUrl(name);
  await migrateService(definition, url, logger);
  const database = drivers.openDatabase(name);
  undo.push(() => database.close());
  const outbox = new Outbox(database, name);
  const clients = new GrpcClients((service) => drivers.grpcAddress(service), drivers.grpcTls);
  const guardedClients = new GuardedClients(clients, name);
  const notifications = new Notifications(url);
  undo.push(() => notifications.close());
  const relay = new OutboxRelay({
    ...{ service: name, database, driver: drivers.bus, outbox, notifications, logger },
    keepRefused: keepRefusedEvents(name),
  });
  undo.push(
    () => clients.close(),
    () => guardedClients.close(),
    () => relay.stop(),
  );
  await relay.start();
  const flags = await startFlags(name, clients, logger);
  undo.push(() => flags.stop());
  return {
    service: name,
    config,
    logger,
    database,
    outbox,
    clients,
    guardedClients,
    flags: flags.client,
    health: drivers.health,
    bus: drivers.bus,
  };
}

/** The process's own and the service's, each name once. */
function settingsOf({ config }: AnyServiceDefinition, drivers: Drivers, environment: Environment): Setting[] {
  const all = [...(drivers.settings ?? []), ...effectiveSettings(config, environment)];
  return [...new Map(all.map((setting) => [setting.name, setting])).values()];
}

async function undoAll(undo: Undo[]): Promise<void> {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
}
