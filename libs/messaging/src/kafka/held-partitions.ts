import type { BusRecord, TopicPartition } from '../driver/bus-driver.js';
import { PartitionFeed } from './partition-feed.js';

/** What holding partitions needs of its surroundings. None of these may throw. */
export interface HoldingContext {
  deliver(records: readonly BusRecord[]): void;
  revoked(partitions: readonly TopicPartition[]): Promise<void>;
  fetch(partition: TopicPartition, on: boolean): void;
  seek(partition: TopicPartition, offset: number): void;
  failed(error: unknown): void;
}

/** The partitions a member holds, each with its feed, through assignments, rebalances and crashes. */
export class HeldPartitions {
  readonly #feeds = new Map<string, PartitionFeed>();
  #memberId: string | undefined;
  #revoking: Promise<void> = Promise.resolve();

  constructor(private readonly context: HoldingContext) {}

  /** The member's name in the group, while it is in it. */
  get memberId(): string | undefined {
    return this.#memberId;
  }

  of(partition: TopicPartition): PartitionFeed | undefined {
    return this.#feeds.get(nameOf(partition));
  }

  all(): PartitionFeed[] {
    return [...this.#feeds.values()];
  }

  /** Resolves once the consumer has let go of what was taken from it. */
  ready(): Promise<void> {
    return this.#revoking;
  }

  /**
   * kafkajs gives all partitions up for a rebalance. Those that come back to the same member go on where they were, so that
   * a rebalance does not interrupt handlers; under another id the member was away, and nothing of what it held is valid.
   */
  assign(memberId: string, partitions: readonly TopicPartition[]): void {
    const names = new Set(partitions.map(nameOf));
    const isSame = memberId === this.#memberId;
    this.#memberId = memberId;
    this.#lose(this.all().filter(({ id }) => !isSame || !names.has(nameOf(id))));
    for (const partition of partitions) {
      const feed = this.of(partition);
      if (!feed) this.#hold(partition);
      else if (feed.next !== undefined) this.context.seek(partition, feed.next);
    }
  }

  /** The member left the group, wanted or not. */
  loseAll(): void {
    this.#memberId = undefined;
    this.#lose(this.all());
  }

  /** Takes what was fetched. @returns false for a partition that is not held: another member reads it. */
  accept(partition: TopicPartition, records: BusRecord[]): boolean {
    const feed = this.of(partition);
    if (!feed) return false;
    const first = records[0];
    if (!first || feed.next === undefined || first.offset >= feed.next) {
      feed.accept(records);
      return true;
    }
    // The position went back, because the topic was made anew or records expired: what runs belongs to the past.
    this.#lose([feed]);
    this.#hold(partition).accept(records);
    return true;
  }

  #hold(partition: TopicPartition): PartitionFeed {
    const feed = new PartitionFeed(partition, {
      deliver: (records) => this.context.deliver(records),
      fetch: (on) => this.context.fetch(partition, on),
    });
    this.#feeds.set(nameOf(partition), feed);
    this.context.fetch(partition, true); // kafkajs remembers a pause from an earlier stay of the partition
    return feed;
  }

  #lose(feeds: readonly PartitionFeed[]): void {
    if (feeds.length === 0) return;
    for (const feed of feeds) {
      feed.release();
      this.#feeds.delete(nameOf(feed.id));
    }
    const revoked = this.context.revoked(feeds.map(({ id }) => id));
    this.#revoking = Promise.all([this.#revoking, revoked]).then(
      () => undefined,
      (error: unknown) => this.context.failed(error),
    );
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
