import { setImmediate } from 'node:timers/promises';
import type { Chunk } from '../../domain/splitting/chunk.js';

/** Chunks as the child encoded them; decoded batch by batch with a turn of the event loop in between. Can be read again. */
export class ChunkBatches implements AsyncIterable<Chunk> {
  private readonly batches: Buffer[] = [];

  add(batch: Buffer): void {
    // A copy: the payload is a view on a pipe's buffer, which it would keep alive as a whole.
    this.batches.push(Buffer.from(batch));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk> {
    for (const batch of this.batches) {
      yield* JSON.parse(batch.toString()) as Chunk[];
      await setImmediate();
    }
  }
}
