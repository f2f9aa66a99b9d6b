import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { documentV1 } from '@ragmesh/contracts';
import { refuseTooLarge, type UploadHeader, type UploadMessage } from './upload-content.js';

type Send = (messages: AsyncIterable<UploadMessage>) => Promise<documentV1.UploadResponse>;

interface FileSource {
  readonly header: UploadHeader;
  readonly bytes: Readable;
  /** Name of the form field, for the message. */
  readonly field: string;
  readonly maxBytes: number;
}

/**
 * One file on its way to the document service, at the pace that service reads. Its end is held back until `commit`
 * resolves: a form that turns out wrong further down leaves nothing of its first files behind.
 */
export class FileUpload {
  /** What the document service answered. */
  readonly accepted: Promise<documentV1.UploadResponse>;
  readonly #hash = createHash('sha256');
  readonly #sent = Promise.withResolvers<void>();

  constructor(
    private readonly source: FileSource,
    private readonly commit: Promise<void>,
    send: Send,
  ) {
    this.accepted = send(this.#messages());
    this.accepted.catch(() => undefined);
    this.#sent.promise.catch(() => undefined);
  }

  get fileName(): string {
    return this.source.header.fileName ?? '';
  }

  /** Resolves when all bytes have been passed on; rejects as soon as the file is too large or the service refuses it. */
  async sent(): Promise<void> {
    const answered = this.accepted.then(() => this.source.bytes.resume());
    await Promise.race([this.#sent.promise, answered]);
  }

  /** SHA-256 of the bytes, once {@link sent} has resolved. */
  digest(): Buffer {
    return this.#hash.digest();
  }

  async *#messages(): AsyncGenerator<UploadMessage> {
    const { header, bytes, field, maxBytes } = this.source;
    try {
      yield { part: { case: 'header', value: header } };
      let size = 0;
      for await (const piece of bytes.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += piece.length;
        refuseTooLarge(size, maxBytes, field);
        this.#hash.update(piece);
        yield { part: { case: 'data', value: piece } };
      }
      this.#sent.resolve();
    } catch (error) {
      this.#sent.reject(error);
      throw error;
    }
    await this.commit;
    yield { part: { case: 'complete', value: true } };
  }
}
