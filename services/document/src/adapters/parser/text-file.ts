import { createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { asStorageError } from '../blob-store.js';

/** The file the canonical text goes to. It exists only after success: `discard` removes what was written. */
export class TextFile {
  private readonly stream: WriteStream;
  private failure: Error | null = null;

  /** @param onDrain called when writing may go on after `write` gave false. */
  constructor(
    private readonly path: string,
    onDrain: () => void,
  ) {
    this.stream = createWriteStream(path);
    this.stream.on('drain', onDrain);
    this.stream.on('error', (error) => {
      this.failure = error;
      onDrain();
    });
  }

  /** False when the disk is slower than the child. After a failure bytes are dropped; `finish` tells. */
  write(bytes: Buffer): boolean {
    return this.failure ? true : this.stream.write(bytes);
  }

  /** @throws RagmeshError STORAGE.FULL. */
  async finish(): Promise<void> {
    if (!this.failure) {
      this.stream.end();
      await finished(this.stream).catch((error: Error) => (this.failure = error));
    }
    if (this.failure) asStorageError(this.failure);
  }

  async discard(): Promise<void> {
    this.stream.destroy();
    if (!this.stream.closed) await finished(this.stream).catch(() => undefined); // being destroyed is its failure
    await rm(this.path, { force: true });
  }
}
