import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { unusable, verify } from './backup-file.js';
import { verifyBlobs } from './blob-copies.js';
import { BACKUP_FORMAT, MANIFEST, manifestSchema, type DatabaseCopy, type Manifest } from './manifest.js';
import { migrationsOf, release } from './release.js';

/**
 * Reads the manifest and says whether this release can restore it.
 * @throws RagmeshError BACKUP.UNREADABLE for a backup that was not finished, is damaged, or comes from a newer release.
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const json = await readFile(join(folder, MANIFEST), 'utf8').catch(() => {
    throw unusable(`${folder} has no ${MANIFEST}: it is no backup, or one that did not get to its end.`);
  });
  const content = parse(json);
  const { format } = content as { format?: unknown };
  if (typeof format === 'number' && format > BACKUP_FORMAT)
    throw unusable(
      `The backup has format ${format}; release ${release()} reads up to ${BACKUP_FORMAT}. Restore it with a newer release.`,
    );
  const manifest = manifestSchema.safeParse(content);
  if (!manifest.success)
    throw unusable(`${MANIFEST} of the backup is damaged: ${manifest.error.issues[0]!.path.join('.')}.`);
  for (const database of manifest.data.databases) requireMigrations(database, manifest.data.release);
  return manifest.data;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw unusable(`${MANIFEST} of the backup is damaged: it is not JSON.`);
  }
}

function requireMigrations({ service, migrations }: DatabaseCopy, writtenBy: string): void {
  if (!serviceNames.includes(service as ServiceName))
    throw unusable(`The backup has a database of ${service}, which release ${release()} does not know.`);
  const known = migrationsOf(service as ServiceName);
  for (const { name, sha256 } of migrations) {
    if (known.get(name)?.sha256 === sha256) continue;
    throw unusable(
      `The backup was written by release ${writtenBy}: its database of ${service} has the migration ${name}, which release ${release()} lacks or has otherwise. Restore it with release ${writtenBy} or a newer one.`,
    );
  }
}

/** Reads everything there is. @throws RagmeshError BACKUP.UNREADABLE for the first file that is not as it was written. */
export async function verifyContent(folder: string, { databases, blobs, key }: Manifest): Promise<void> {
  for (const { tables } of databases) for (const { file } of tables) await verify(folder, file);
  if (key) await verify(folder, key);
  await verify(folder, blobs.list);
  await verifyBlobs(folder, blobs);
}
