import type { PendingText } from './embed-request.js';

/** Failures of a text that had a thread to itself before it is held to be the reason. */
const FAILURES_ALONE = 2;

/**
 * Batches whose run failed or whose thread died. Each is tried again with a thread to itself, in halves, until the text
 * that does it is alone: it is accused, and its neighbours are served.
 */
export class Suspects {
  private readonly batches: (readonly PendingText[])[] = [];

  constructor(private readonly accuse: (text: PendingText, cause: unknown) => void) {}

  get size(): number {
    return this.batches.reduce((sum, batch) => sum + batch.length, 0);
  }

  /** @param isBlamed whether nothing else was on the thread; else the batch may be innocent and stays whole. */
  add(batch: readonly PendingText[], isBlamed: boolean, cause: unknown): void {
    const open = batch.filter(({ request }) => request.isOpen);
    const [first] = open;
    if (!first) return;
    if (!isBlamed) return void this.batches.push(open);
    if (open.length > 1) {
      const half = Math.ceil(open.length / 2);
      return void this.batches.push(open.slice(0, half), open.slice(half));
    }
    first.failuresAlone += 1;
    if (first.failuresAlone < FAILURES_ALONE) this.batches.push(open);
    else this.accuse(first, cause);
  }

  /** The next batch that somebody still waits for. */
  next(): readonly PendingText[] | undefined {
    for (let batch = this.batches.shift(); batch; batch = this.batches.shift()) {
      const open = batch.filter(({ request }) => request.isOpen);
      if (open.length > 0) return open;
    }
    return undefined;
  }

  removeAll(): PendingText[] {
    return this.batches.splice(0).flat();
  }
}
