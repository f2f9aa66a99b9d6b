import { join } from 'node:path';
import type { DocumentConfig } from '../document.config.js';
import type { BlobStore } from './blob-store.js';
import { FolderBlobStore } from './folder-blob-store.js';

/** Blobs go to the bucket when one is named, else into the data folder, without loading the client of S3 (35 MB). */
export async function openBlobStore(config: DocumentConfig): Promise<BlobStore> {
  const folder = join(config.RAGMESH_DATA_DIR, 'blobs');
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, S3_REGION: region, S3_FORCE_PATH_STYLE: forcePathStyle } = config;
  if (!bucket) return new FolderBlobStore(folder);
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
  const credentials = accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {};
  const place = { bucket, region, forcePathStyle, ...(endpoint ? { endpoint } : {}) };
  const { S3BlobStore } = await import('./s3-blob-store.js');
  return new S3BlobStore({ ...place, ...credentials }, folder);
}
