import { appendFile, close, openSync } from 'node:fs';
import { Writable } from 'node:stream';
import { putLargeLogAside } from './log-rotation.js';

/**
 * The end of a log file, for pipes to end in. It takes everything and never fails: what cannot be written, as on a full disk, is
 * dropped, and whoever pipes goes on. Each piece is tried anew, so lines are kept again once there is room.
 */
export class LogFile extends Writable {
  readonly #descriptor: number;
  #isDropping = false;

  /** @param say told once when lines begin to be dropped. @throws Error when the file cannot be opened. */
  constructor(
    private readonly file: string,
    private readonly say: (sentence: string) => void,
  ) {
    super();
    putLargeLogAside(file);
    this.#descriptor = openSync(file, 'a', 0o600);
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    appendFile(this.#descriptor, bytes, (error) => {
      if (error && !this.#isDropping)
        this.say(`${this.file} cannot be written, its lines are dropped: ${error.message}`);
      this.#isDropping = error !== null;
      done();
    });
  }

  override _final(done: () => void): void {
    close(this.#descriptor, () => done());
  }
}
