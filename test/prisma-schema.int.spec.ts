import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inboxMigrations } from '@ragmesh/inbox';
import { outboxMigrations } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, createPool, migrate } from '@ragmesh/postgres';
import { sagaMigrations } from '@ragmesh/saga';
import { sqlOfSchema } from './prisma-schema.js';

/** Tables of libraries come with the libraries; Prisma's record describes itself. */
const NOT_OF_THE_SERVICE =
  /^(_prisma_migrations|dead_letter|dead_letter_replay|inbox|outbox|outbox_lease|saga|saga_step)$/;
/** Made by a migration of its own, where the store is pgvector. */
const MADE_ELSEWHERE = /^point_search$/;

// Prisma knows no lists that cannot be NULL.
const COLUMNS = `
  SELECT c.table_name AS "table", c.column_name AS "column",
    concat_ws(' ', c.data_type, CASE WHEN c.data_type <> 'ARRAY' AND c.is_nullable = 'NO' THEN 'NOT NULL' END,
      (SELECT 'in the primary key' FROM information_schema.table_constraints t
       JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name)
       WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name AND k.column_name = c.column_name)) AS type
  FROM information_schema.columns c WHERE c.table_schema = 'public' ORDER BY 1, 2`;

const services = readdirSync('services').filter((name) => readdirSync(join('services', name)).includes('prisma'));

describe('schema.prisma', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ragmesh-schema-'));
  let server: EmbeddedPostgres;
  beforeAll(async () => void (server = await EmbeddedPostgres.start(join(folder, 'data'))));
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  async function columnsOf(database: string, prepare?: string): Promise<string[]> {
    const db = new Database(createPool(server.url(database)));
    if (prepare) await db.pool.query(prepare);
    const { rows } = await db.query<{ table: string; column: string; type: string }>(COLUMNS);
    await db.close();
    return rows
      .filter(({ table }) => !NOT_OF_THE_SERVICE.test(table) && !MADE_ELSEWHERE.test(table))
      .map(({ table, column, type }) => `${table}.${column} ${type}`);
  }

  it('is there for each of the eight', () => expect(services).toHaveLength(8));

  it.each(services)('of %s says what its migrations make', async (service) => {
    const own = join('services', service, 'prisma');
    await migrate(server.url(service), outboxMigrations, inboxMigrations, sagaMigrations, join(own, 'migrations'));
    await migrate(server.url(`${service}_schema`));
    const sql = await sqlOfSchema(readFileSync(join(own, 'schema.prisma'), 'utf8'), server.url(service));
    const said = await columnsOf(`${service}_schema`, `CREATE DOMAIN vector AS bytea; ${sql}`);
    expect(said).toEqual(await columnsOf(service));
  });
});
