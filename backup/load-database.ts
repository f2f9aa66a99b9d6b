import { createReadStream } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ServiceName } from '@ragmesh/contracts';
import { migrate } from '@ragmesh/postgres';
import type pg from 'pg';
import { consumersByTopic } from './bus-positions.js';
import { connect } from './connect.js';
import { CopyIn, startCopy } from './copy-stream.js';
import type { DatabaseCopy, TopicPosition } from './manifest.js';
import { migrationsOf } from './release.js';
import { nameOf, placesOf } from './tables.js';

/**
 * Makes the tables as they were when the backup was taken and fills them, all or nothing. Newer migrations of this release run
 * when the service starts, over the rows, as in any upgrade.
 */
export async function loadDatabase(
  folder: string,
  copy: DatabaseCopy,
  url: string,
  positions: readonly TopicPosition[],
): Promise<void> {
  await makeTables(copy, url);
  const client = await connect(url);
  try {
    await client.query('BEGIN');
    await clearSeeds(client, copy);
    for (const table of copy.tables) {
      const rows = startCopy(client, new CopyIn(`COPY ${placesOf(client, table)} FROM STDIN`));
      await pipeline(createReadStream(join(folder, table.file.path)), createGunzip(), rows);
    }
    for (const sequence of copy.sequences)
      await client.query('SELECT setval($1, $2::bigint)', [nameOf(client, sequence), sequence.value]);
    await publishAgain(client, positions);
    await beginAgain(client);
    await client.query('COMMIT');
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}

async function makeTables({ service, migrations }: DatabaseCopy, url: string): Promise<void> {
  const known = migrationsOf(service as ServiceName);
  const folder = await mkdtemp(join(tmpdir(), 'ragmesh-restore-'));
  try {
    for (const { name } of migrations) await cp(known.get(name)!.folder, join(folder, name), { recursive: true });
    await migrate(url, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rows that migrations put in come from the backup, too. */
async function clearSeeds(client: pg.Client, { tables }: DatabaseCopy): Promise<void> {
  for (const table of tables.toReversed()) {
    const { rows } = await client.query(`SELECT 1 FROM ${nameOf(client, table)} LIMIT 1`);
    if (rows.length > 0) await client.query(`DELETE FROM ${nameOf(client, table)}`);
  }
}

/** Every event that some reader may not have handled at the cut; those who have know it by their inboxes. */
const PUBLISH_AGAIN = `
  UPDATE outbox SET published_at = NULL, published_partition = NULL, published_offset = NULL
  WHERE published_at IS NOT NULL AND topic = ANY($1) AND published_offset >= coalesce(
    (SELECT p.handled FROM unnest($2::text[], $3::int[], $4::bigint[]) AS p(topic, partition, handled)
     WHERE p.topic = outbox.topic AND p.partition = outbox.published_partition), 0)`;

async function publishAgain(client: pg.Client, positions: readonly TopicPosition[]): Promise<void> {
  await client.query(PUBLISH_AGAIN, [
    [...consumersByTopic.keys()],
    positions.map(({ topic }) => topic),
    positions.map(({ partition }) => partition),
    positions.map(({ handled }) => handled),
  ]);
}

/** What was being handled at the cut counts as never begun, lest its next start looks like one after a crash. */
async function beginAgain(client: pg.Client): Promise<void> {
  await client.query('DELETE FROM inbox WHERE finished_at IS NULL AND attempt = 1');
  await client.query('UPDATE inbox SET starts = 0 WHERE finished_at IS NULL');
}
