import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { Database, EmbeddedPostgres, createPool, migrate } from '../src/index.js';
import { scratchFolder } from './scratch-folder.js';

const sample = fileURLToPath(new URL('sample/migrations', import.meta.url));
const bothNames = ['20260101000000_first', '20260102000000_second'];

describe('migrate', () => {
  const folder = scratchFolder();
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    server = await EmbeddedPostgres.start(join(folder.path, 'data'));
  });
  afterAll(async () => {
    await server.stop();
    folder.remove();
  });

  it('creates the database, applies every migration once and records it as Prisma does', async () => {
    const url = server.url('twice');
    expect(await migrate(url, sample)).toEqual(bothNames);
    expect(await migrate(url, sample)).toEqual([]);
    const database = new Database(createPool(url));
    const { rows } = await database.query(
      'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1',
    );
    expect(rows.map(({ migration_name }) => migration_name)).toEqual(bothNames);
    await database.query(`INSERT INTO "Note" VALUES ('a', 1, 'title')`);
    await database.close();
  });

  it('lets one of several concurrent runs do the work', async () => {
    const url = server.url('concurrent');
    const applied = await Promise.all([1, 2, 3].map(() => migrate(url, sample)));
    expect(applied.flat()).toEqual(bothNames);
  });

  it('says that it waits for another process, and gives up when that takes too long', async () => {
    const url = server.url('held');
    await migrate(url);
    const holder = createPool(url, { max: 1 });
    const heard: string[] = [];
    const told = { url, lockWithinMs: 500, onWait: (message: string) => heard.push(message) };
    await holder.query('SELECT pg_advisory_lock(7246374)');
    await expect(migrate(told, sample)).rejects.toMatchObject({
      code: 'STORAGE.UNAVAILABLE',
      message: expect.stringContaining('still migrates the database held'),
    });
    expect(heard).toEqual([expect.stringContaining('Another process migrates the database held')]);
    const waiting = migrate({ ...told, lockWithinMs: 60_000 }, sample);
    await eventually('the other one waits', () => heard.length === 2);
    await holder.end();
    expect(await waiting).toEqual(bothNames);
  });

  it('is quick when there is nothing to do', async () => {
    const url = server.url('quick');
    await migrate(url, sample);
    const took: number[] = [];
    for (let run = 0; run < 5; run += 1) {
      const started = Date.now();
      await migrate(url, sample);
      took.push(Date.now() - started);
    }
    expect(Math.min(...took)).toBeLessThan(300);
  });

  it('refuses a database whose applied migration was edited afterwards', async () => {
    const edited = join(folder.path, 'edited');
    cpSync(sample, edited, { recursive: true });
    await migrate(server.url('edited'), edited);
    writeFileSync(join(edited, bothNames[1]!, 'migration.sql'), 'SELECT 1;');
    await expect(migrate(server.url('edited'), edited)).rejects.toMatchObject({ code: 'STORAGE.MIGRATION_FAILED' });
  });

  it('names the migration that failed, leaves nothing of it, and goes on once it is repaired', async () => {
    const broken = migrationOf('broken', 'CREATE TABLE half (); ALTER TABLE missing ADD COLUMN x int;');
    const failed = { code: 'STORAGE.MIGRATION_FAILED', message: expect.stringContaining('20260103000000_broken') };
    await expect(migrate(server.url('broken'), broken)).rejects.toMatchObject(failed);
    await expect(migrate(server.url('broken'), broken)).rejects.toMatchObject(failed);
    migrationOf('broken', 'CREATE TABLE half ();');
    expect(await migrate(server.url('broken'), broken)).toEqual(['20260103000000_broken']);
  });

  it('starts over after a process was killed in the middle of it', async () => {
    const long = migrationOf('long', 'CREATE TABLE half (); SELECT pg_sleep(60);');
    const url = server.url('long');
    const watch = createPool(server.url('postgres'));
    const cut = migrate(url, long);
    cut.catch(() => undefined);
    await eventually('the connection is cut', async () => {
      const sleeping = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'ragmesh-migrate' AND datname = 'long' AND wait_event = 'PgSleep'`;
      return (await watch.query(sleeping)).rowCount! > 0;
    });
    await watch.end();
    await expect(cut).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    migrationOf('long', 'CREATE TABLE half ();');
    expect(await migrate(url, long)).toEqual(['20260103000000_long']);
  });

  function migrationOf(name: string, sql: string): string {
    const migrations = join(folder.path, name);
    mkdirSync(join(migrations, `20260103000000_${name}`), { recursive: true });
    writeFileSync(join(migrations, `20260103000000_${name}`, 'migration.sql'), sql);
    return migrations;
  }
});
