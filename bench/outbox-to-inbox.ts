import { randomUUID } from 'node:crypto';
import { catalogue, databaseName, retryTopic, topicSpecs, type ServiceName } from '@ragmesh/contracts';
import { Inbox, inboxMigrations, keepRefusedEvents } from '@ragmesh/inbox';
import { KafkaBusDriver, RagmeshServer, type BusDriver, type Delivery } from '@ragmesh/messaging';
import { createLogger, inContext } from '@ragmesh/observability';
import { Outbox, OutboxRelay, outboxMigrations } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, Notifications, createPool, migrate } from '@ragmesh/postgres';
import { BATCH, countdown, keyOf, measure, payload } from './event-lane.js';

/** An event that may carry any bytes, who writes it and who handles it. */
const EVENT = catalogue.chunksEmbedded;
const [FROM, TO] = ['embedding', 'vector'] as const;

const logger = createLogger('bench', 'error');

/** What is undone at the end, last first. */
type Undo = (() => Promise<unknown>)[];

/**
 * Events per second from service to service as all of ours travel: rows of an outbox, committed by the batch; its relay; Kafka;
 * the consumer with its inbox and a handler that does nothing but commit. Both services are in this process.
 */
export async function outboxToInbox(
  brokers: readonly string[],
  { topicPrefix, dataDir }: { readonly topicPrefix: string; readonly dataDir: string },
): Promise<number> {
  const undo: Undo = [];
  try {
    const server = await EmbeddedPostgres.start(dataDir);
    undo.push(() => server.stop());
    const bus = await KafkaBusDriver.connect({ brokers, clientId: 'bench-services', topicPrefix });
    undo.push(() => bus.close());
    const topics = [EVENT.topic, retryTopic(EVENT.topic, TO)];
    await bus.provision(topicSpecs.filter(({ name }) => topics.includes(name)));
    const { arrived, count } = countdown();
    await startConsumer(server, bus, () => count(1), undo);
    const outbox = await startProducer(server, bus, undo);
    return await measure({ send: (from) => write(outbox, from), arrived });
  } finally {
    for (const step of undo.toReversed()) await step();
  }
}

async function openDatabase(server: EmbeddedPostgres, service: ServiceName, undo: Undo): Promise<[Database, string]> {
  const url = server.url(databaseName(service));
  await migrate(url, outboxMigrations, inboxMigrations);
  const database = new Database(createPool(url));
  undo.push(() => database.close());
  return [database, url];
}

async function startProducer(server: EmbeddedPostgres, driver: BusDriver, undo: Undo): Promise<Outbox> {
  const [database, url] = await openDatabase(server, FROM, undo);
  const outbox = new Outbox(database, FROM);
  const notifications = new Notifications(url);
  undo.push(() => notifications.close());
  const keepRefused = keepRefusedEvents(FROM);
  const relay = new OutboxRelay({ service: FROM, database, driver, outbox, notifications, logger, keepRefused });
  undo.push(() => relay.stop());
  await relay.start();
  return outbox;
}

/** @param handled is called after the commit of each event. */
async function startConsumer(
  server: EmbeddedPostgres,
  driver: BusDriver,
  handled: () => void,
  undo: Undo,
): Promise<void> {
  const [database] = await openDatabase(server, TO, undo);
  const journal = new Inbox(database, new Outbox(database, TO), TO);
  const events = new RagmeshServer({ service: TO, driver, journal, logger });
  const handle = async (_message: unknown, delivery: Delivery) => {
    const result = await delivery.commit(() => Promise.resolve());
    handled();
    return result;
  };
  events.addHandler(EVENT.type, handle, true, { id: `${TO}.bench`, spec: EVENT, deadlineSeconds: 60 });
  undo.push(() => events.close());
  await new Promise<void>((resolve, reject) => {
    events.listen((error) => (error ? reject(error as Error) : resolve()));
  });
}

async function write(outbox: Outbox, from: number): Promise<void> {
  const context = { requestId: randomUUID(), tenant: 'default', subject: 'bench' };
  await inContext(context, () =>
    outbox.transaction(async (_tx, { publish }) => {
      for (let number = from; number < from + BATCH; number += 1) {
        const documentId = keyOf(number);
        publish(EVENT, documentId, { documentId, version: 1n, collection: 'default', vectors: payload });
      }
    }),
  );
}
