import { resolve } from 'node:path';
import { loadConfig, type Environment } from '@ragmesh/config';
import { openBlobStore } from '@ragmesh/service-document/blobs';
import { documentConfig } from '@ragmesh/service-document/config';
import type { Blobs } from './installation.js';

/** The blobs of the installation that an environment names: in a bucket where it names one, else below the data folder. */
export async function openBlobs(environment: Environment): Promise<Blobs> {
  const config = loadConfig(documentConfig, environment);
  const { S3_BUCKET: bucket, RAGMESH_DATA_DIR: dataDir } = config;
  const store = await openBlobStore(config);
  return {
    in: bucket ? 's3' : 'folder',
    place: bucket ? `the bucket ${bucket}` : `the folder ${resolve(dataDir, 'blobs')}`,
    read: (tenant, key) => store.read(tenant, key),
    write: async (tenant, source) => {
      const staged = await store.stage(source, Infinity);
      try {
        await store.publish(tenant, staged);
      } finally {
        await store.discard(staged);
      }
      return staged.key;
    },
    isEmpty: async () => {
      for await (const _ of store.list()) return false;
      return true;
    },
  };
}
