import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedPostgres } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import type pg from 'pg';
import { keepMeshRecord } from '../../services/mesh/src/mesh-record.js';
import { BUCKET, S3Server } from '../../services/document/test/s3-server.js';
import { backup } from '../backup.js';
import { connect, connectAll } from '../connect.js';
import { CopyIn, CopyOut, startCopy } from '../copy-stream.js';
import type { Manifest } from '../manifest.js';
import { openInstallation, openTarget } from '../open-installation.js';
import { restore } from '../restore.js';

const release = fileURLToPath(new URL('../../services/standalone/test/releases/0.1.0', import.meta.url));

let folder: string;
let postgres: EmbeddedPostgres;
let s3: S3Server;
let environment: Record<string, string>;
let restored: Manifest;
const clients: pg.Client[] = [];

const open = async (database: string): Promise<pg.Client> => {
  const client = await connect(postgres.url(database));
  clients.push(client);
  return client;
};
const backUp = async (name: string, options = {}): Promise<Manifest> => {
  const installation = await openInstallation(environment);
  return backup(installation, join(folder, name), options).finally(() => installation.close());
};

/** A mesh's stores without its services: PostgreSQL, a bucket, and the bus on tables. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-backup-'));
  postgres = await EmbeddedPostgres.start(join(folder, 'server'));
  s3 = await S3Server.start(join(folder, 's3'));
  environment = {
    DATABASE_URL: postgres.url(''),
    RAGMESH_DATA_DIR: join(folder, 'data'),
    S3_BUCKET: BUCKET,
    S3_ENDPOINT: `http://127.0.0.1:${s3.port}`,
    S3_ACCESS_KEY_ID: 'S3RVER',
    S3_SECRET_ACCESS_KEY: 'S3RVER',
  };
  restored = await restore(release, () => openTarget(environment));
});
afterAll(async () => {
  for (const client of clients) await client.end();
  await s3.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe('a backup restored to servers', () => {
  it('comes out of them again, blobs from the bucket, and events that nobody took as unpublished', async () => {
    const again = await backUp('again');
    expect(again.blobs).toMatchObject({ count: restored.blobs.count, bytes: restored.blobs.bytes, in: 's3' });
    const tables = ({ databases }: Manifest) => databases.flatMap((one) => one.tables.map(({ name }) => name));
    expect(tables(again)).toEqual(tables(restored));
    const unchanged = (manifest: Manifest) =>
      manifest.databases
        .flatMap((one) => one.tables)
        .filter(({ name }) => !['outbox', 'inbox'].includes(name))
        .map(({ file }) => file.sha256);
    expect(unchanged(again)).toEqual(unchanged(restored));
    const client = await open('ragmesh_document');
    const { rows } = await client.query(`SELECT topic FROM outbox WHERE published_at IS NULL ORDER BY id`);
    expect(rows.map(({ topic }) => topic as string)).toEqual(expect.arrayContaining(Array(4).fill('document.created')));
    expect(rows.length).toBeLessThan(10);
    const begun = await client.query('SELECT 1 FROM inbox WHERE finished_at IS NULL AND starts > 0');
    expect(begun.rows).toEqual([]); // a start that was cut off is none, lest it looks like a crash
    const next = await client.query(
      'INSERT INTO outbox (topic, key, headers, value) SELECT topic, key, headers, value FROM outbox LIMIT 1 RETURNING id',
    );
    await client.query('DELETE FROM outbox WHERE id = $1', [next.rows[0].id]);
    expect(Number(next.rows[0].id)).toBeGreaterThan(31);
  });

  it('is refused by a mesh that has no bucket for it, and says so before anything is written', async () => {
    const { S3_BUCKET: _bucket, ...noBucket } = environment;
    const half = { ...noBucket, RAGMESH_DATA_DIR: join(folder, 'half') };
    const from = join(folder, 'again'); // what the test before has left
    await expect(restore(from, () => openTarget(half))).rejects.toThrow(
      /were in a bucket, and they would go to the folder .*half\/blobs: set S3_BUCKET, or add --blobs-to-folder/,
    );
    await expect(restore(release, () => openTarget(half))).rejects.toThrow(/does not say where its blobs were/);
    const accepted = restore(from, () => openTarget(half), { blobsToFolder: true });
    await expect(accepted).rejects.toThrow(/database of gateway has/); // the next thing that it looks at
  });

  it('is refused by servers that hold something', async () => {
    await expect(restore(release, () => openTarget(environment))).rejects.toThrow(/database of gateway has \d+ tables/);
  });
});

describe('an installation that is opened', () => {
  it('has the key of a data folder only where that is named: one where the command runs is of another ragmesh', async () => {
    const { RAGMESH_DATA_DIR: dataDir, ...unnamed } = environment;
    const keyFiles = await Promise.all(
      [environment, unnamed].map(async (one) => {
        const installation = await openInstallation(one);
        return installation.close().then(() => installation.keyFile);
      }),
    );
    expect(keyFiles).toEqual([join(dataDir!, 'service-auth.key'), undefined]);
  });

  it('finds the database of a service on the server that is given for it, by its usual name unless one is named', async () => {
    const own = { VECTOR_DATABASE_URL: postgres.url(''), MODEL_DATABASE_URL: postgres.url('models') };
    const installation = await openInstallation({ ...environment, ...own });
    const names = (['vector', 'model'] as const).map((service) => new URL(installation.databaseUrl(service)).pathname);
    await installation.close();
    expect(names).toEqual(['/ragmesh_vector', '/models']);
  });

  it('leaves nothing open when a part of it cannot be had', async () => {
    const wrong = { ...environment, S3_ENDPOINT: 'nonsense', KAFKA_BROKERS: '127.0.0.1:1' };
    await expect(openInstallation(wrong)).rejects.toThrow(/S3_ENDPOINT/); // the bus is not even opened
    const client = await open('postgres');
    const counted = async (): Promise<number> =>
      (await client.query(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'ragmesh-backup'`))
        .rows[0].n;
    const before = await counted();
    const urls = ['postgres', 'nowhere', 'postgres'].map((database) => postgres.url(database));
    await expect(connectAll(urls)).rejects.toMatchObject({ code: '3D000' });
    await eventually('the others are closed', async () => (await counted()) === before);
  });
});

describe('a backup is not taken', () => {
  it('before transactions with an event have ended', async () => {
    const blocker = await open('ragmesh_vector');
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE outbox IN ROW EXCLUSIVE MODE');
    const trying = backUp('late');
    setTimeout(() => void blocker.query('ROLLBACK'), 2_500);
    expect((await trying).databases).toHaveLength(8); // it tries again, and lets writers through in between
  });

  it('while another one runs', async () => {
    const other = await open('ragmesh_document');
    await other.query('SELECT pg_advisory_lock(7246380)');
    await expect(backUp('second')).rejects.toThrow(/Another backup/);
    await other.query('SELECT pg_advisory_unlock(7246380)');
  });

  it('when events wait for longer than outboxes keep them, unless that is accepted', async () => {
    const bus = await connect(postgres.url('postgres'));
    await bus.query('CREATE DATABASE ragmesh_bus').finally(() => bus.end());
    const client = await open('ragmesh_bus');
    await client.query(`CREATE SCHEMA bus;
      CREATE TABLE bus.topic_partition (id int, topic text, partition int, next_offset bigint);
      CREATE TABLE bus.claim (group_name text, partition_id int, next_offset bigint);
      CREATE TABLE bus.record (partition_id int, record_offset bigint, written_at timestamptz);
      INSERT INTO bus.topic_partition VALUES (1, 'document.ready', 0, 7);
      INSERT INTO bus.record SELECT 1, n, now() - interval '3 hours' FROM generate_series(0, 6) n`);
    await expect(backUp('old')).rejects.toThrow(/7 events of document.ready\/0 wait for more than an hour/);
    const manifest = await backUp('accepted', { leaveOldEvents: true });
    expect(manifest.positions).toEqual([{ topic: 'document.ready', partition: 0, handled: 0, end: 7 }]);
  });
});

it('copies rows as they are: tabs, backslashes, nulls, bytes, floats, and more of them than one packet holds', async () => {
  const client = await open('postgres');
  await client.query(
    'CREATE TABLE a (id int, words text, bytes bytea, number float8, made int GENERATED ALWAYS AS (id * 2) STORED)',
  );
  await client.query(
    `INSERT INTO a SELECT n, CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN E'\\t\\\\N\\n🐦' ELSE repeat('x', 5000) END,
       decode(md5(n::text), 'hex'), n / 3.0 FROM generate_series(1, 3000) n`,
  );
  await client.query('CREATE TABLE b (LIKE a INCLUDING ALL)');
  const target = await open('postgres');
  const columns = 'id, words, bytes, number';
  await pipeline(
    startCopy(client, new CopyOut(`COPY a (${columns}) TO STDOUT`)),
    startCopy(target, new CopyIn(`COPY b (${columns}) FROM STDIN`)),
  );
  const { rows } = await client.query('(TABLE a EXCEPT TABLE b) UNION ALL (TABLE b EXCEPT TABLE a)');
  expect(rows).toEqual([]);
  expect((await target.query('SELECT count(*)::int AS n FROM b')).rows[0].n).toBe(3000);
  const broken = pipeline(
    Readable.from([Buffer.from('no number\n')]),
    startCopy(target, new CopyIn('COPY b (id) FROM STDIN')),
  );
  await expect(broken).rejects.toThrow(/invalid input syntax/);
  expect((await target.query('SELECT 1 AS one')).rows[0].one).toBe(1);
  const nowhere = pipeline(
    Readable.from([Buffer.from('1\n')]),
    startCopy(target, new CopyIn('COPY missing FROM STDIN')),
  );
  await expect(nowhere).rejects.toThrow(/does not exist/);
  const cut = pipeline(
    Readable.from(
      (function* () {
        yield Buffer.from('1\n');
        throw new Error('the disk is gone');
      })(),
    ),
    startCopy(target, new CopyIn('COPY b (id) FROM STDIN')),
  );
  await expect(cut).rejects.toThrow(/the disk is gone/);
  expect((await target.query('SELECT count(*)::int AS n FROM b')).rows[0].n).toBe(3000);
});

it('is not taken of half a mesh: where its own Kafka does not run, or only the database is out of sight', async () => {
  const dataDir = join(folder, 'mesh');
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const open = (settings: Record<string, string> = {}) => openInstallation({ RAGMESH_DATA_DIR: dataDir, ...settings });
  await mkdir(join(dataDir, 'kafka'), { recursive: true });
  const unclear = (message: RegExp) => ({ code: 'CONFIG.INVALID', message: expect.stringMatching(message) });
  await expect(open()).rejects.toMatchObject(unclear(/start it with npm run mesh first/));
  await expect(open({ KAFKA_BROKERS: 'kafka:9092' })).rejects.toMatchObject(unclear(/DATABASE_URL is not/));
  const target = { RAGMESH_DATA_DIR: join(folder, 'new'), KAFKA_BROKERS: 'kafka:9092' };
  await expect(openTarget(target)).rejects.toMatchObject(unclear(/DATABASE_URL is not/));
  const record = { pid, edge: { url: 'http://127.0.0.1:8080' }, brokers: '127.0.0.1:1' };
  await keepMeshRecord(dataDir, { ...record, bus: 'local-kafka' });
  const stopped = { code: 'BACKUP.NOT_NOW', message: expect.stringContaining('Start it with npm run mesh') };
  await expect(open()).rejects.toMatchObject(stopped);
  await keepMeshRecord(dataDir, { ...record, bus: 'kafka', database: 'db.example:5432' });
  await expect(open()).rejects.toMatchObject(unclear(/keeps its data at db.example:5432: set DATABASE_URL/));
});
