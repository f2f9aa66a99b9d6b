import type { Admin } from 'kafkajs';
import type { PartitionLag } from '../driver/bus-driver.js';
import type { PartitionFeed } from './partition-feed.js';

interface Extent {
  readonly low: number;
  readonly high: number;
}

/** How far a group is behind on the partitions a member holds: the brokers' figures in records, the feeds' in seconds. */
export class GroupLag {
  /** Since when a partition is behind by records nobody here has seen yet. */
  readonly #behindSince = new WeakMap<PartitionFeed, number>();

  constructor(
    private readonly admin: Admin,
    private readonly group: string,
    private readonly storedName: (topic: string) => string,
  ) {}

  async of(feeds: readonly PartitionFeed[]): Promise<PartitionLag[]> {
    if (feeds.length === 0) return [];
    const topics = [...new Set(feeds.map(({ id }) => this.storedName(id.topic)))];
    const [committed, extents] = await Promise.all([this.#committed(topics), this.#extents(topics)]);
    return feeds.map((feed) => {
      const name = `${this.storedName(feed.id.topic)}/${feed.id.partition}`;
      const { low, high } = extents.get(name) ?? { low: 0, high: 0 };
      const position = Math.max(committed.get(name) ?? low, low);
      const records = Math.max(0, high - position);
      return { ...feed.id, records, seconds: this.#age(feed, position, records) };
    });
  }

  #age(feed: PartitionFeed, position: number, records: number): number {
    if (records === 0) {
      this.#behindSince.delete(feed);
      return 0;
    }
    const written = feed.oldestSince(position);
    if (written !== undefined) return Math.max(0, Date.now() - written) / 1_000;
    const since = this.#behindSince.get(feed) ?? performance.now();
    this.#behindSince.set(feed, since);
    return (performance.now() - since) / 1_000;
  }

  async #committed(topics: string[]): Promise<Map<string, number>> {
    const positions = new Map<string, number>();
    for (const { topic, partitions } of await this.admin.fetchOffsets({ groupId: this.group, topics })) {
      for (const { partition, offset } of partitions) {
        if (Number(offset) >= 0) positions.set(`${topic}/${partition}`, Number(offset));
      }
    }
    return positions;
  }

  async #extents(topics: readonly string[]): Promise<Map<string, Extent>> {
    const extents = new Map<string, Extent>();
    await Promise.all(
      topics.map(async (topic) => {
        for (const { partition, low, high } of await this.admin.fetchTopicOffsets(topic)) {
          extents.set(`${topic}/${partition}`, { low: Number(low), high: Number(high) });
        }
      }),
    );
    return extents;
  }
}
