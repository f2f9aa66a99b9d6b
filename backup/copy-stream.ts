import { Readable, Writable } from 'node:stream';
import type pg from 'pg';

/** The calls of pg's connection that COPY needs and its types leave out. */
interface CopyConnection {
  readonly stream: {
    pause(): void;
    resume(): void;
    writableNeedDrain: boolean;
    once(event: 'drain', go: () => void): void;
  };
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

/**
 * What a table holds, as PostgreSQL writes it. Never more than what one packet brings is in memory: the socket waits while the
 * reader does. Hand it to `client.query`, then read it.
 */
export class CopyOut extends Readable {
  #connection: CopyConnection | undefined;

  constructor(private readonly sql: string) {
    super();
  }

  submit(connection: CopyConnection): void {
    this.#connection = connection;
    connection.query(this.sql);
  }

  override _read(): void {
    this.#connection?.stream.resume();
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (!this.push(Buffer.from(chunk)) && !this.destroyed) this.#connection!.stream.pause();
  }

  /** What is left of the rows has to come, or the connection could say nothing else any more. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#connection?.stream.resume();
    done(error);
  }

  handleError(error: Error): void {
    this.destroy(error);
  }

  /** Nobody reads on after the end, so the socket that was paused for the last rows is let go here. */
  handleCommandComplete(): void {
    this.#connection!.stream.resume();
    this.push(null);
  }

  handleReadyForQuery(): void {}
}

/** Takes what {@link CopyOut} gave into a table; it has finished once the server has taken everything. */
export class CopyIn extends Writable {
  #connection: CopyConnection | undefined;
  #begin: ((error?: Error | null) => void) | undefined;
  #finish: ((error?: Error | null) => void) | undefined;

  constructor(private readonly sql: string) {
    super();
  }

  submit(connection: CopyConnection): void {
    this.#connection = connection;
    connection.query(this.sql);
  }

  override _construct(ready: (error?: Error | null) => void): void {
    this.#begin = ready;
  }

  override _write(chunk: Buffer, _encoding: string, next: () => void): void {
    const { stream } = this.#connection!;
    this.#connection!.sendCopyFromChunk(chunk);
    if (stream.writableNeedDrain) stream.once('drain', next);
    else next();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finish = done;
    this.#connection!.endCopyFrom();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error && !this.#finish) this.#connection?.sendCopyFail('the reader failed');
    done(error);
  }

  handleCopyInResponse(): void {
    const begin = this.#begin!;
    this.#begin = undefined;
    begin();
  }

  handleError(error: Error): void {
    this.#finish ??= () => undefined; // the server has ended the copy
    if (this.#begin) this.#begin(error);
    else this.destroy(error);
  }

  handleCommandComplete(): void {
    this.#finish!();
  }

  handleReadyForQuery(): void {}
}

/** Runs a COPY on this connection once what was asked before is answered. */
export function startCopy<T extends CopyOut | CopyIn>(client: pg.Client, copy: T): T {
  client.query(copy as unknown as pg.Submittable);
  return copy;
}
