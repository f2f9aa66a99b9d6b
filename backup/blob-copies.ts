import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { unusable, writeCompressed, writePlain } from './backup-file.js';
import type { Blobs } from './installation.js';
import type { BlobsCopy } from './manifest.js';

const LIST = 'blobs.list.gz';
const PAGE = 1_000;

const REFERRED = `
  DECLARE blob CURSOR FOR SELECT DISTINCT tenant, key FROM document_version, unnest(ARRAY[blob_key, text_blob_key]) AS key
  WHERE key <> '' ORDER BY 1, 2`;

interface Blob {
  readonly tenant: string;
  /** SHA-256 of the bytes. */
  readonly key: string;
}

const pathOf = ({ tenant, key }: Blob): string => `blobs/${encodeURIComponent(tenant)}/${key.slice(0, 2)}/${key}`;

/** Copies exactly the blobs that the snapshot's versions refer to. Nothing may remove blobs meanwhile. */
export async function dumpBlobs(folder: string, client: pg.Client, blobs: Blobs): Promise<BlobsCopy> {
  let [count, bytes] = [0, 0];
  async function* list(): AsyncGenerator<Buffer> {
    for await (const blob of referredBy(client)) {
      const size = await writePlain(folder, pathOf(blob), blobs.read(blob.tenant, blob.key));
      count += 1;
      bytes += size;
      yield Buffer.from(`${encodeURIComponent(blob.tenant)}\t${blob.key}\n`);
    }
  }
  return { list: await writeCompressed(folder, LIST, list()), count, bytes, in: blobs.in };
}

async function* referredBy(client: pg.Client): AsyncGenerator<Blob> {
  await client.query(REFERRED);
  for (;;) {
    const { rows } = await client.query<Blob>(`FETCH ${PAGE} FROM blob`);
    yield* rows;
    if (rows.length < PAGE) break;
  }
  await client.query('CLOSE blob');
}

async function* listed(folder: string, { list }: BlobsCopy): AsyncGenerator<Blob> {
  const lines = createInterface({ input: createReadStream(join(folder, list.path)).pipe(createGunzip()) });
  for await (const line of lines) {
    const [tenant, key] = line.split('\t');
    yield { tenant: decodeURIComponent(tenant!), key: key! };
  }
}

/** Reads every blob of the backup. @throws RagmeshError BACKUP.UNREADABLE for one that is missing or damaged. */
export async function verifyBlobs(folder: string, copy: BlobsCopy): Promise<void> {
  let count = 0;
  for await (const blob of listed(folder, copy)) {
    const hash = createHash('sha256');
    const path = pathOf(blob);
    try {
      for await (const piece of createReadStream(join(folder, path))) hash.update(piece as Buffer);
    } catch {
      throw unusable(`The backup lacks the file ${path}.`);
    }
    if (hash.digest('hex') !== blob.key)
      throw unusable(`${path} of the backup is damaged: its SHA-256 is another one.`);
    count += 1;
  }
  if (count !== copy.count) throw unusable(`The backup lists ${count} blobs instead of ${copy.count}.`);
}

/** Puts the blobs of the backup where the installation keeps them. */
export async function loadBlobs(folder: string, copy: BlobsCopy, blobs: Blobs): Promise<void> {
  for await (const blob of listed(folder, copy)) {
    const key = await blobs.write(blob.tenant, createReadStream(join(folder, pathOf(blob))));
    if (key !== blob.key) throw unusable(`${pathOf(blob)} of the backup changed while it was read.`);
  }
}
