import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  type ListMultipartUploadsCommandOutput,
  type MultipartUpload,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { isRagmeshError } from '@ragmesh/errors';
import { circuitBreaker, type CircuitBreaker } from '@ragmesh/resilience';
import { blobNamed, tenantPart } from './blob-name.js';
import { BlobStore, LONGEST_UPLOAD_MS, asStorageError, verified, type StagedBlob } from './blob-store.js';
import { asS3Error } from './s3-errors.js';

/** Larger blobs go up in parts of this size, two at a time; S3 allows no smaller ones than 5 MiB. */
const PART_BYTES = 8 * 1024 * 1024;

export interface S3Options {
  readonly bucket: string;
  readonly region: string;
  /** Without it Amazon's of the region. */
  readonly endpoint?: string;
  /** Without them the SDK's own search: environment, role of the machine. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`; servers other than Amazon's need it. */
  readonly forcePathStyle: boolean;
}

/**
 * Blobs as objects `<tenant>/<sha256>` of one bucket. An object of a key has one possible content, and S3 shows it whole or not at
 * all, so neither a temporary key nor a lock is needed. The SHA-256 of the body is signed with each request and checked by the
 * server; what comes back is checked here.
 */
export class S3BlobStore extends BlobStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  /** While the store fails, uploads are refused at once instead of waiting for its time-outs. */
  readonly #breaker: CircuitBreaker;

  /** @param folder on this machine, below which lies what is staged or handed out as a file. */
  constructor({ bucket, ...connection }: S3Options, folder: string) {
    super(folder);
    this.#bucket = bucket;
    this.#breaker = circuitBreaker('s3', {
      service: 'document',
      timeoutMs: Infinity, // a large blob takes as long as it takes; the socket has its own limit
      isFailure: (error) => asS3Error(error).retry === 'transient',
    });
    this.#client = new S3Client({
      ...connection,
      maxAttempts: 3,
      // The SDK's default adds CRC32 trailers, which many servers other than Amazon's refuse.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: 2_000, socketTimeout: 10_000 },
    });
  }

  override prepare(tenant: string, staged: Pick<StagedBlob, 'path' | 'key'>): Promise<void> {
    return this.publish(tenant, staged);
  }

  async publish(tenant: string, { path, key }: Pick<StagedBlob, 'path' | 'key'>): Promise<void> {
    if (await this.#has(tenant, key)) return;
    // In buffers of one part each, because the SDK tries again what is a buffer and gives up what is a stream.
    const body = createReadStream(path, { highWaterMark: 1024 * 1024 });
    const params = { ...this.#object(tenant, key), Body: body };
    const upload = new Upload({ client: this.#client, params, partSize: PART_BYTES, queueSize: 2 });
    try {
      await this.#guarded(() => upload.done());
    } finally {
      body.destroy();
    }
  }

  async size(tenant: string, key: string): Promise<number> {
    const { ContentLength: bytes } = await this.#ask(new HeadObjectCommand(this.#object(tenant, key)));
    return bytes ?? 0;
  }

  async *read(tenant: string, key: string): AsyncGenerator<Buffer> {
    try {
      const { Body: body } = await this.#ask(new GetObjectCommand(this.#object(tenant, key)));
      yield* verified(body as Readable as AsyncIterable<Buffer>, key);
    } catch (error) {
      throw asS3Error(error);
    }
  }

  async withFile<T>(tenant: string, key: string, use: (path: string) => Promise<T>): Promise<T> {
    const path = await this.temporaryPath().catch(asStorageError);
    try {
      await pipeline(this.read(tenant, key), createWriteStream(path, { flags: 'wx' })).catch(asStorageError);
      return await use(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  async remove(tenant: string, key: string): Promise<boolean> {
    const object = this.#object(tenant, key);
    if (!blobOf(object.Key)) return false; // earlier releases noted others' objects as garbage
    if (!(await this.#has(tenant, key))) return false;
    await this.#ask(new DeleteObjectCommand(object));
    return true;
  }

  async *list(): AsyncGenerator<{ tenant: string; key: string }> {
    let from: string | undefined;
    do {
      const page = await this.#ask(new ListObjectsV2Command({ Bucket: this.#bucket, ContinuationToken: from }));
      for (const { Key: name = '' } of page.Contents ?? []) {
        const blob = blobOf(name);
        if (blob) yield blob;
      }
      from = page.NextContinuationToken;
    } while (from);
  }

  override async clearUnfinished(signal: AbortSignal): Promise<void> {
    let page: Partial<ListMultipartUploadsCommandOutput> = {};
    do {
      const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
      page = await this.#ask(new ListMultipartUploadsCommand({ Bucket: this.#bucket, KeyMarker, UploadIdMarker }));
      for (const upload of (page.Uploads ?? []).filter(isLeft)) {
        if (signal.aborted) return;
        await this.#abort(upload);
      }
    } while (page.IsTruncated && !signal.aborted);
  }

  /** Called by Nest after everything that uses it has stopped. */
  onApplicationShutdown(): void {
    this.#breaker.shutdown();
    this.#client.destroy();
  }

  async #has(tenant: string, key: string): Promise<boolean> {
    return (await unlessMissing(this.size(tenant, key))) !== undefined;
  }

  async #abort({ Key, UploadId }: MultipartUpload): Promise<void> {
    await unlessMissing(this.#ask(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId })));
  }

  #object(tenant: string, key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: `${tenantPart(tenant)}/${key}` };
  }

  #ask: S3Client['send'] = (...args: unknown[]) =>
    this.#guarded(() => (this.#client.send as (...args: unknown[]) => Promise<never>).apply(this.#client, args));

  async #guarded<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.run(call);
    } catch (error) {
      throw asS3Error(error);
    }
  }
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isRagmeshError(error) && error.code === 'BLOB.NOT_FOUND') return undefined;
    throw error;
  }
}

/** The blob that an object is; others may keep theirs in the same bucket. */
function blobOf(name: string): ReturnType<typeof blobNamed> {
  const [tenant, key, ...rest] = name.split('/');
  return rest.length === 0 ? blobNamed(tenant, key) : undefined;
}

const isLeft = ({ Key: name = '', Initiated: begun = new Date() }: MultipartUpload): boolean =>
  blobOf(name) !== undefined && Date.now() - begun.getTime() > LONGEST_UPLOAD_MS;
