import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { CurrentFaults } from './faults.js';

interface Piece {
  readonly bytes: Buffer;
  readonly dueAt: number;
}

/** Bytes on their way at most; beyond it the sender is held up like by a full socket buffer. */
const MAX_IN_FLIGHT = 1024 * 1024;

/** One direction of a connection. Bytes arrive in order, once, and later than they were sent. */
export class FaultyStream {
  readonly #queue: Piece[] = [];
  #inFlight = 0;
  #passed = 0;
  #ended = false;
  #arrival = Promise.withResolvers<void>();
  readonly #stopped = new AbortController();

  /** @param onPassed is told how many bytes have been passed on so far, before the next ones are. */
  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly faults: CurrentFaults,
    private readonly onPassed: (bytes: number) => void = () => undefined,
  ) {
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#end());
    from.on('close', () => this.#end());
    to.on('close', () => this.#stopped.abort());
    void this.#run().catch(() => undefined); // only ever aborted, by a connection that is gone
  }

  #take(bytes: Buffer): void {
    const { latencyMs, jitterMs } = this.faults.value;
    const dueAt = performance.now() + latencyMs + Math.random() * jitterMs;
    this.#queue.push({ bytes, dueAt });
    this.#inFlight += bytes.length;
    if (this.#inFlight >= MAX_IN_FLIGHT) this.from.pause();
    this.#arrival.resolve();
  }

  #end(): void {
    this.#ended = true;
    this.#arrival.resolve();
  }

  async #run(): Promise<void> {
    for (;;) {
      const piece = this.#queue.shift();
      if (piece) await this.#pass(piece);
      else if (this.#ended) return void this.to.end();
      else {
        await this.#arrival.promise;
        this.#arrival = Promise.withResolvers();
      }
    }
  }

  async #pass({ bytes, dueAt }: Piece): Promise<void> {
    await this.#sleep(dueAt - performance.now());
    for (let at = 0; at < bytes.length;) {
      await this.#holes();
      const { sliceBytes, sliceDelayMs, bytesPerSecond } = this.faults.value;
      // A slow line is shown as many small pieces, twenty each second.
      const most = Math.max(1, Math.min(sliceBytes, Math.floor(bytesPerSecond / 20)));
      const slice = bytes.subarray(at, at + most);
      await this.#sleep((slice.length / bytesPerSecond) * 1000 + (at > 0 ? sliceDelayMs : 0));
      this.onPassed((this.#passed += slice.length));
      if (!this.to.write(slice)) await this.#drained();
      at += slice.length;
    }
    this.#inFlight -= bytes.length;
    if (this.#inFlight < MAX_IN_FLIGHT) this.from.resume();
  }

  async #holes(): Promise<void> {
    while (this.faults.value.blackHole) await this.faults.changed;
    this.#stopped.signal.throwIfAborted();
  }

  async #sleep(ms: number): Promise<void> {
    if (ms > 0) await delay(ms, undefined, { signal: this.#stopped.signal });
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.to.once('drain', resolve);
      this.to.once('close', () => reject(new Error('The receiver is gone')));
    });
  }
}
