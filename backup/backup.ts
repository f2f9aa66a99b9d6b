import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { holdBlobRemoval } from '@ragmesh/service-document/removal-hold';
import type pg from 'pg';
import { notEmpty } from './backup-file.js';
import { dumpBlobs } from './blob-copies.js';
import { connectAll } from './connect.js';
import { takeCut, type Snapshot } from './consistent-cut.js';
import { dumpDatabase } from './dump-database.js';
import { dumpKey } from './key-copy.js';
import { readPositions, requireKept } from './event-positions.js';
import type { Installation } from './installation.js';
import { BACKUP_FORMAT, MANIFEST, type DatabaseCopy, type Manifest } from './manifest.js';
import { release } from './release.js';

const HOLD_WITHIN_MS = 3_000;

export interface BackupOptions {
  /** Accepts that events which waited for more than an hour are not in the backup. */
  readonly leaveOldEvents?: boolean;
  readonly say?: (sentence: string) => void;
}

/**
 * Writes everything an installation keeps into an empty folder, while it runs or not. The order is what makes it whole: blobs are
 * kept from being removed, positions are read, all databases are cut at one point, rows are copied, then the blobs they refer to.
 * The manifest comes last: a folder without one is no backup.
 * @throws RagmeshError BACKUP.TARGET_NOT_EMPTY, BACKUP.NOT_NOW, STORAGE.*.
 */
export async function backup(
  installation: Installation,
  folder: string,
  options: BackupOptions = {},
): Promise<Manifest> {
  const { leaveOldEvents = false, say = () => undefined } = options;
  await requireEmptyFolder(folder);
  const urls = new Map(serviceNames.map((service) => [service, installation.databaseUrl(service)]));
  const readers = await openReaders(urls);
  try {
    const document = readers.find(({ service }) => service === 'document')!.client;
    await holdBlobs(document);
    const positions = await readPositions(installation.bus);
    const { snapshots, pausedMs } = await takeCut(urls, readers);
    const createdAt = new Date().toISOString();
    say(`Cut through ${snapshots.length} databases; events waited for ${Math.round(pausedMs)} ms.`);
    if (!leaveOldEvents) await requireKept(positions, snapshots);
    const databases: DatabaseCopy[] = [];
    for (const snapshot of snapshots) databases.push(await dumpDatabase(folder, snapshot));
    const blobs = await dumpBlobs(folder, document, installation.blobs);
    const key = await dumpKey(folder, installation.keyFile);
    say(`Copied ${databases.length} databases and ${blobs.count} blobs of ${blobs.bytes} bytes.`);
    const manifest: Manifest = {
      format: BACKUP_FORMAT,
      release: release(),
      createdAt,
      pausedMs: Math.round(pausedMs),
      databases,
      blobs,
      ...(key ? { key } : {}),
      positions: positions.map(({ topic, partition, handled, end }) => ({ topic, partition, handled, end })),
    };
    await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    });
    return manifest;
  } finally {
    await Promise.all(readers.map(({ client }) => client.end()));
  }
}

async function requireEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0) throw notEmpty(`${folder} is not empty; a backup gets a folder of its own.`);
}

async function openReaders(urls: ReadonlyMap<ServiceName, string>): Promise<Snapshot[]> {
  try {
    const clients = await connectAll([...urls.values()]);
    return [...urls.keys()].map((service, index) => ({ service, client: clients[index]! }));
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== '3D000') throw error;
    throw new RagmeshError('BACKUP.NOT_NOW', `There is no ragmesh to back up yet: ${message}.`);
  }
}

async function holdBlobs(document: pg.Client): Promise<void> {
  try {
    await document.query(`SET lock_timeout = ${HOLD_WITHIN_MS}`);
    await document.query(holdBlobRemoval);
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error;
    throw new RagmeshError(
      'BACKUP.NOT_NOW',
      'Another backup of this installation runs. Wait for its end.',
      {},
      { cause: error },
    );
  }
}
