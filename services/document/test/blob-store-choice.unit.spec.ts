import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { openBlobStore } from '../src/adapters/blob-store-choice.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { S3BlobStore } from '../src/adapters/s3-blob-store.js';
import { documentConfig } from '../src/document.config.js';

describe('where blobs are kept', () => {
  it('is the data folder unless a bucket is named', async () => {
    expect(await openBlobStore(loadConfig(documentConfig, {}))).toBeInstanceOf(FolderBlobStore);
    const store = await openBlobStore(loadConfig(documentConfig, { S3_BUCKET: 'documents' }));
    expect(store).toBeInstanceOf(S3BlobStore);
    (store as S3BlobStore).onApplicationShutdown();
  });

  it('needs both halves of a key, and shows neither in a fault', () => {
    const half = { S3_BUCKET: 'documents', S3_SECRET_ACCESS_KEY: 'hidden-from-everyone' };
    expect(() => loadConfig(documentConfig, half)).toThrow(/S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY/);
    expect(() => loadConfig(documentConfig, half)).not.toThrow(/hidden-from-everyone/);
    expect(() => loadConfig(documentConfig, { S3_ENDPOINT: 'ftp://x' })).toThrow(/S3_ENDPOINT/);
  });
});
