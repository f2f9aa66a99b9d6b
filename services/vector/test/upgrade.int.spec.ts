import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { Database, EmbeddedPostgres, createPool, migrate } from '@ragmesh/postgres';
import { contentHash } from '../src/adapters/content-hash.js';
import { bytesOf, vectorOf } from './document.builder.js';

const migrations = fileURLToPath(new URL('../prisma/migrations', import.meta.url));
const first = '20260102000000_vector';

it('brings the points of the first release along, with the hash a store is compared by', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ragmesh-upgrade-'));
  const postgres = await EmbeddedPostgres.start(join(folder, 'data'));
  await cp(join(migrations, first), join(folder, 'migrations', first), { recursive: true });
  const url = postgres.url('ragmesh_vector');
  await migrate(url, join(folder, 'migrations'));
  const database = new Database(createPool(url));
  const [text, vector] = ['Ein Tölpel, \ufffd und 🐦', vectorOf('gannet')];
  await database.query(
    `INSERT INTO point (tenant, collection, document_id, version, ordinal, start_offset, end_offset, point_id, model, metadata,
       text, vector) VALUES ('t', 'c', 'd', 1, 0, 0, 9, gen_random_uuid(), 'm@1', '{}', $1, $2)`,
    [text, Buffer.from(bytesOf(vector))],
  );
  expect(await migrate(url, migrations)).not.toEqual([]);
  const { rows } = await database.query('SELECT generation, hash::text AS hash FROM point');
  expect(rows).toEqual([{ generation: 0, hash: String(contentHash('m@1', { text, vector })) }]);
  await database.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});
