import type { ServiceName } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { notEmpty } from './backup-file.js';
import { loadBlobs } from './blob-copies.js';
import { consumersByTopic } from './bus-positions.js';
import { connect } from './connect.js';
import type { Installation } from './installation.js';
import { loadKey } from './key-copy.js';
import { loadDatabase } from './load-database.js';
import type { Manifest } from './manifest.js';
import { readManifest, verifyContent } from './read-backup.js';

export interface RestoreOptions {
  /** Accepts that blobs of a mesh go into a folder, which only services on the same storage see. */
  readonly blobsToFolder?: boolean;
  readonly say?: (sentence: string) => void;
}

/**
 * Puts a backup into an empty installation that does not run. Everything is read and verified before anything is written; blobs
 * come before the rows that refer to them. What the services do when they start does the rest: outboxes publish what some reader
 * may lack, inboxes pass over what is known, the vector store is compared with its rows, newer migrations run.
 * @param open opens the installation: only after the backup has turned out to be one.
 * @throws RagmeshError BACKUP.UNREADABLE, BACKUP.TARGET_NOT_EMPTY, CONFIG.INVALID, STORAGE.*.
 */
export async function restore(
  folder: string,
  open: () => Promise<Installation>,
  options: RestoreOptions = {},
): Promise<Manifest> {
  const { blobsToFolder = false, say = () => undefined } = options;
  const manifest = await readManifest(folder);
  await verifyContent(folder, manifest);
  say(`The backup of ${manifest.createdAt} by release ${manifest.release} is whole.`);
  const installation = await open();
  try {
    if (!blobsToFolder) requireSharedPlace(installation, manifest);
    await requireEmpty(installation, manifest);
    say(`Blobs go to ${installation.blobs.place}.`);
    if (manifest.key && installation.keyFile === undefined)
      say(
        `List the key in ${manifest.key.path} of the backup in SERVICE_AUTH_KEY, too: events that wait are signed with it.`,
      );
    await loadKey(folder, manifest.key, installation.keyFile);
    await loadBlobs(folder, manifest.blobs, installation.blobs);
    for (const database of manifest.databases) {
      const url = installation.databaseUrl(database.service as ServiceName);
      await loadDatabase(folder, database, url, manifest.positions);
    }
    say(`Restored ${manifest.databases.length} databases and ${manifest.blobs.count} blobs. Start the services now.`);
    return manifest;
  } finally {
    await installation.close();
  }
}

/** A mesh without a bucket has most likely been given half of its environment: the blobs would lie where no service looks. */
function requireSharedPlace({ isMesh, blobs }: Installation, { blobs: copied }: Manifest): void {
  if (!isMesh || blobs.in === 's3' || copied.in === 'folder') return;
  const before =
    copied.in === 's3' ? 'The blobs of this backup were in a bucket' : 'The backup does not say where its blobs were';
  throw new RagmeshError(
    'CONFIG.INVALID',
    `${before}, and they would go to ${blobs.place}: set S3_BUCKET, or add --blobs-to-folder if document has that folder.`,
  );
}

async function requireEmpty({ databaseUrl, blobs, bus }: Installation, { databases }: Manifest): Promise<void> {
  for (const { service } of databases) await requireNoTables(databaseUrl(service as ServiceName), service);
  if (!(await blobs.isEmpty()))
    throw notEmpty('The place for blobs holds some already: name an empty folder or bucket.');
  const written = (await bus.extents([...consumersByTopic.keys()], 0)).find(({ end }) => end > 0);
  if (written)
    throw notEmpty(
      `The topic ${written.topic} holds events of another time: remove the topics, or set RAGMESH_TOPIC_PREFIX to a new prefix.`,
    );
}

async function requireNoTables(url: string, service: string): Promise<void> {
  const client = await connect(url).catch((error: { code?: string }) => {
    if (error.code === '3D000') return undefined; // there is no such database, which is as empty as it gets
    throw error;
  });
  if (!client) return;
  try {
    const sql = `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'`;
    const { rows } = await client.query<{ tables: number }>(sql);
    if (rows[0]!.tables > 0)
      throw notEmpty(
        `The database of ${service} has ${rows[0]!.tables} tables already: drop it, or name an empty server.`,
      );
  } finally {
    await client.end();
  }
}
