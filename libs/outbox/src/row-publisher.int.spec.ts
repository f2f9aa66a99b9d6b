import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { BusDriver } from '@ragmesh/messaging';
import { Database, EmbeddedPostgres, createPool, migrate } from '@ragmesh/postgres';
import { PartlyDeadBus, TOPIC, keysOf } from '../test/partly-dead-bus.js';
import { outboxMigrations } from './index.js';
import { OutboxRows } from './outbox-rows.js';
import { RelayPass } from './relay-pass.js';
import { RowPublisher } from './row-publisher.js';

const PARTITIONS = [0, 1, 2, 3, 4, 5];

let folder: string;
let server: EmbeddedPostgres;
let database: Database;
const pool = { connected: 0 };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-publisher-'));
  server = await EmbeddedPostgres.start(folder);
  const url = server.url('ragmesh_publisher');
  await migrate(url, outboxMigrations);
  const connections = createPool(url, { max: 10 });
  connections.on('connect', () => void (pool.connected += 1));
  database = new Database(connections);
});
afterAll(async () => {
  await database.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const events = {
  setAside: async () => undefined,
  lostLease: () => undefined,
  answered: () => undefined,
  failed: () => undefined,
};

it('answers that come late and together leave connections for the service', async () => {
  const bus = new PartlyDeadBus();
  const answer = Promise.withResolvers<void>();
  for (const partition of PARTITIONS) bus.silent.set(partition, answer.promise);
  const rows = new OutboxRows(database);
  const publisher = new RowPublisher(bus as unknown as BusDriver, rows, new RelayPass(), events);
  const keys = PARTITIONS.flatMap((partition) => keysOf(partition, 1));
  await database.query(
    `INSERT INTO outbox (topic, key, headers, value) SELECT $1, key, '{}', 'x' FROM unnest($2::text[]) AS t(key)`,
    [TOPIC, keys],
  );
  const { rows: leases } = await database.query<{ token: number }>('SELECT token::int FROM outbox_lease');
  await publisher.publish((await rows.oldest()).rows, leases[0]!.token);
  answer.resolve();
  await publisher.settled();
  expect((await rows.oldest()).rows).toEqual([]);
  expect(pool.connected).toBeLessThanOrEqual(2);
});

/** Resolves so many microtasks after another promise. */
async function after(first: Promise<unknown>, microtasks: number): Promise<void> {
  await first;
  for (let turn = 0; turn < microtasks; turn += 1) await undefined;
}

it('hears of every failure, however soon one comes after another', async () => {
  for (let apart = 0; apart < 24; apart += 1) {
    const bus = new PartlyDeadBus();
    const answer = Promise.withResolvers<void>();
    const pass = new RelayPass();
    for (const [partition, turns] of [
      [0, 0],
      [1, apart],
    ] as const) {
      bus.dead.add(partition);
      bus.silent.set(partition, after(answer.promise, turns));
      pass.failed(TOPIC, partition, 0); // nobody waits for its next answer
    }
    const publisher = new RowPublisher(bus as unknown as BusDriver, new OutboxRows(database), pass, events);
    const row = { topic: TOPIC, headers: {}, value: Buffer.from('x'), unsigned: false };
    await publisher.publish(
      [0, 1].map((partition) => ({ ...row, id: partition + 1, key: keysOf(partition, 1)[0]! })),
      1,
    );
    answer.resolve();
    await publisher.settled();
    pass.release(Number.MAX_SAFE_INTEGER); // only what still awaits its answer is not let go then
    const heldBack = [0, 1].filter((partition) => pass.isHeldBack(TOPIC, partition));
    expect({ apart, heldBack }).toEqual({ apart, heldBack: [] });
  }
});
