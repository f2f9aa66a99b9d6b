import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database, EmbeddedPostgres, createPool, migrate } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { outboxMigrations } from './index.js';
import { OutboxHousekeeping } from './outbox-housekeeping.js';
import { OutboxRows, type OutboxRow } from './outbox-rows.js';

const MB = 1024 * 1024;
/** Of each value, in MB: a batch of chunks of a large model, small ones between, and one that is larger than a batch. */
const SIZES = [...Array.from({ length: 20 }, () => 1), 0, 0, 12, 1, 0];

let folder: string;
let server: EmbeddedPostgres;
let database: Database;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-outbox-rows-'));
  server = await EmbeddedPostgres.start(folder);
  await migrate(server.url('ragmesh_rows'), outboxMigrations);
  database = new Database(createPool(server.url('ragmesh_rows')));
  const insert = `INSERT INTO outbox (topic, key, headers, value) VALUES ('events', $1, '{}', $2)`;
  for (const [key, mb] of SIZES.entries()) await database.query(insert, [`${key}`, Buffer.alloc(mb * MB + 1, key)]);
});
afterAll(async () => {
  await database.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const bytesOf = (rows: readonly OutboxRow[]): number => rows.reduce((sum, { value }) => sum + value.byteLength, 0);

describe('what waits in an outbox', () => {
  it('is read in batches that memory has room for, to its end and in order', async () => {
    const rows = new OutboxRows(database);
    const read: OutboxRow[] = [];
    let place: number | string = 0;
    for (let isEnd = false; !isEnd;) {
      const batch = await rows.oldestAfter(place, () => false);
      if (batch.rows.length > 1) expect(bytesOf(batch.rows.slice(0, -1))).toBeLessThan(8 * MB);
      read.push(...batch.rows);
      ({ after: place, isEnd } = batch);
    }
    expect(read.map(({ key, value }) => [key, value.byteLength])).toEqual(
      SIZES.map((mb, key) => [`${key}`, mb * MB + 1]),
    );
  });

  it('begins with what fits of the oldest, and says that there is more', async () => {
    const { rows, isEnd } = await new OutboxRows(database).oldest();
    expect(rows.map(({ key }) => Number(key))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(isEnd).toBe(false);
  });
});

describe('the housekeeping of an outbox', () => {
  it('goes on until nothing is left that is old', async () => {
    await database.query(
      `INSERT INTO outbox (topic, key, headers, value, published_at)
       SELECT 'old', n, '{}', 'x', now() - interval '2 hours' FROM generate_series(1, 11000) AS n`,
    );
    const housekeeping = new OutboxHousekeeping(database, 'document', () => undefined);
    housekeeping.start();
    const old = `SELECT 1 FROM outbox WHERE topic = 'old' LIMIT 1`;
    await eventually('all is removed', async () => (await database.query(old)).rowCount === 0);
    await housekeeping.stop();
  });
});
