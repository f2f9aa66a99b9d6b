import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '@ragmesh/postgres';
import pg from 'pg';
import { migrateOnly } from '../src/migrate-only.js';
import type { AnyServiceDefinition } from '../src/service-definition.js';
import { topicsOnly } from '../src/topics-only.js';

const definition = {
  name: 'model',
  config: { variables: {} },
  migrations: 'services/model/prisma/migrations',
} as unknown as AnyServiceDefinition;

describe('migrations without the service', () => {
  let folder: string;
  let postgres: EmbeddedPostgres;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-migrate-only-'));
    postgres = await EmbeddedPostgres.start(folder);
  });
  afterAll(async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const environment = () => ({
    DATABASE_URL: postgres.url(''),
    SERVICE_AUTH_KEY: 'a-key-of-at-least-thirty-two-characters',
    LOG_LEVEL: 'error',
  });

  it('creates the database of the service with every table, and does nothing the second time', async () => {
    await migrateOnly(definition, environment());
    const client = new pg.Client({ connectionString: postgres.url('ragmesh_model') });
    await client.connect();
    try {
      const applied = async (): Promise<string[]> =>
        (await client.query('SELECT migration_name AS name FROM _prisma_migrations ORDER BY name')).rows.map(
          ({ name }: { name: string }) => name,
        );
      const first = await applied();
      expect(first.length).toBeGreaterThan(3);
      await migrateOnly(definition, environment());
      expect(await applied()).toEqual(first);
    } finally {
      await client.end();
    }
  });

  it('says which setting is missing, and asks for no more than every process needs', async () => {
    const { SERVICE_AUTH_KEY: _key, ...incomplete } = environment();
    await expect(migrateOnly(definition, incomplete)).rejects.toThrow(/SERVICE_AUTH_KEY/);
  });

  it('runs in its image, and so does what makes the topics', async () => {
    const dockerfile = await readFile(new URL('../../../deploy/docker/service.Dockerfile', import.meta.url), 'utf8');
    const settings = /^ENV (.*RAGMESH_DATA_DIR.*)$/m
      .exec(dockerfile)![1]!
      .split(' ')
      .map((setting) => setting.split('=', 2));
    const image = { ...environment(), ...(Object.fromEntries(settings) as Record<string, string>) };
    await migrateOnly(definition, image);
    await topicsOnly(definition, image);
  });

  it('fails when the server is not there, so that whoever runs it tries again', async () => {
    const nowhere = { ...environment(), DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/' };
    await expect(migrateOnly(definition, nowhere)).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
  });
});
