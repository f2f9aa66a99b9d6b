import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { DeadLetterStore, inboxMigrations, keepRefusedEvents } from '@ragmesh/inbox';
import { EmbeddedBusDriver, KafkaBusDriver, type BusDriver } from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { Outbox, OutboxRelay, outboxMigrations } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, Notifications, createPool, migrate } from '@ragmesh/postgres';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { ownKafka } from './on-both-buses.js';

const TOPIC = catalogue.documentReady.topic;
const { partitions, retentionHours } = catalogue.documentReady;

/** An outbox with its relay over a real database and bus. */
class Relayed {
  readonly outbox: Outbox;
  readonly database: Database;
  private relay: OutboxRelay | undefined;
  private notifications: Notifications | undefined;

  private constructor(
    private readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
    readonly bus: BusDriver,
  ) {
    this.database = new Database(createPool(this.url));
    this.outbox = new Outbox(this.database, 'document');
  }

  static async start(connect: (postgres: EmbeddedPostgres) => Promise<BusDriver>): Promise<Relayed> {
    const folder = await mkdtemp(join(tmpdir(), 'ragmesh-outbox-'));
    const postgres = await EmbeddedPostgres.start(folder);
    await migrate(postgres.url('ragmesh_document'), outboxMigrations, inboxMigrations);
    const bus = await connect(postgres);
    await bus.provision([{ name: TOPIC, partitions, retentionHours }]);
    return new Relayed(folder, postgres, bus);
  }

  get url(): string {
    return this.postgres.url('ragmesh_document');
  }

  async startRelay(): Promise<void> {
    const { database, outbox, bus } = this;
    this.notifications = new Notifications(this.url);
    const logger = createLogger('document', 'silent');
    this.relay = new OutboxRelay({
      ...{ service: 'document', database, driver: bus, outbox, logger },
      notifications: this.notifications,
      keepRefused: keepRefusedEvents('document'),
    });
    await this.relay.start();
  }

  /** Inserts a row, which gives it its number, and commits once `before` has resolved. */
  async insert(key: string, bytes = 10, before?: Promise<void>, inserted?: () => void): Promise<void> {
    await this.database.transaction(async (tx) => {
      const sql = `INSERT INTO outbox (topic, key, headers, value) VALUES ($1, $2, '{}'::jsonb, $3) RETURNING id`;
      await tx.query(sql, [TOPIC, key, Buffer.alloc(bytes, 1)]);
      inserted?.();
      await before;
    });
  }

  async stop(): Promise<void> {
    await this.relay?.stop();
    await this.notifications?.close();
    await this.database.close();
    await this.bus.close();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function outboxOrder(connect: (postgres: EmbeddedPostgres) => Promise<BusDriver>): void {
  let relayed: Relayed;
  const keys: string[] = [];
  beforeAll(async () => {
    relayed = await Relayed.start(connect);
    const deliver = (records: readonly { key: string }[]) => void keys.push(...records.map(({ key }) => key));
    await relayed.bus.subscribe({ group: 'spec', topics: [TOPIC], sink: { deliver, revoked: async () => undefined } });
    await relayed.startRelay();
  });
  afterAll(() => relayed.stop());

  it('publishes a row that commits after one with a higher number', async () => {
    const first = Promise.withResolvers<void>();
    const numbered = Promise.withResolvers<void>();
    const early = relayed.insert('numbered-first', 10, first.promise, numbered.resolve);
    await numbered.promise;
    await relayed.insert('committed-first');
    await eventually('the later number is published', () => keys.includes('committed-first'));
    expect(keys).not.toContain('numbered-first');
    first.resolve();
    await early;
    await eventually('the earlier number is published, too', () => keys.includes('numbered-first'));
    const { rows } = await relayed.database.query<{ key: string }>('SELECT key FROM outbox ORDER BY id');
    expect(rows.map(({ key }) => key)).toEqual(['numbered-first', 'committed-first']);
  });

  it('makes a dead letter of a row that is too large for the bus, says so, and publishes the others', async () => {
    await relayed.insert('before-large');
    await relayed.insert('large', 5_000_000);
    await relayed.insert('after-large');
    await eventually('the others are published', () => keys.includes('before-large') && keys.includes('after-large'));
    await eventually('the large one is set aside', async () => {
      const { rows } = await relayed.database.query(
        `SELECT 1 FROM outbox WHERE key = 'large' AND error = 'EVENT.TOO_LARGE'`,
      );
      return rows.length === 1;
    });
    expect(keys).not.toContain('large');
    const letters = new DeadLetterStore(relayed.database);
    expect(await letters.list('default', {}, 10)).toMatchObject([
      {
        handler_id: 'document.publish',
        code: 'EVENT.TOO_LARGE',
        origin_topic: TOPIC,
        subject: 'large',
        status: 'parked',
      },
    ]);
    const told = `SELECT FROM outbox WHERE topic = '${catalogue.errorOccurred.topic}' AND key = 'large'`;
    expect((await relayed.database.query(told)).rowCount).toBe(1);
  });
}

describe('an outbox over tables', () =>
  outboxOrder((postgres) => EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') })));

describeWithServer('kafka', 'an outbox over Kafka', () => {
  const kafka = ownKafka();
  outboxOrder(() =>
    KafkaBusDriver.connect({ brokers: kafka().brokers, clientId: 'outbox-spec', sessionTimeoutMs: 3_000 }),
  );
});
