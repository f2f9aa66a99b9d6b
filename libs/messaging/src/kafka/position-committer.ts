import { isMembershipLost, kafkaError } from './kafka-error.js';
import type { PartitionFeed } from './partition-feed.js';

export interface CommitTarget {
  store(positions: readonly (readonly [PartitionFeed, number])[]): Promise<void>;
  /** Resolves once the member has its partitions anew; rejects when that takes too long. */
  assigned(): Promise<void>;
}

/** Stores positions, one request at a time: what comes meanwhile goes into the next, where the last position counts. */
export class PositionCommitter {
  readonly #pending = new Map<PartitionFeed, number>();
  #flushing: Promise<void> | undefined;

  constructor(private readonly target: CommitTarget) {}

  /** Resolves once the positions are stored, or their partitions have moved away. */
  async commit(positions: readonly (readonly [PartitionFeed, number])[]): Promise<void> {
    for (const [feed, offset] of positions) this.#pending.set(feed, offset);
    await this.flush();
  }

  async flush(): Promise<void> {
    this.#flushing ??= this.#drain();
    await this.#flushing;
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // calls of the same turn share the first request
    try {
      while (this.#pending.size > 0) await this.#storePending();
    } finally {
      this.#flushing = undefined;
    }
  }

  async #storePending(): Promise<void> {
    const batch = [...this.#pending].filter(([feed]) => feed.isHeld);
    this.#pending.clear();
    if (batch.length === 0) return;
    try {
      await this.target.store(batch);
    } catch (error) {
      this.#putBack(batch);
      if (!isMembershipLost(error)) throw kafkaError(error, 'storing positions');
      // Whoever keeps a partition through the rebalance still has its position to store.
      await this.target.assigned();
    }
  }

  #putBack(batch: readonly (readonly [PartitionFeed, number])[]): void {
    for (const [feed, offset] of batch) if (!this.#pending.has(feed)) this.#pending.set(feed, offset);
  }
}
