import type { Admin } from 'kafkajs';
import type { TopicPartition } from '../driver/bus-driver.js';
import { kafkaError } from './kafka-error.js';
import type { KafkaTopics } from './kafka-topics.js';

/** How far a partition is written. */
export interface PartitionExtent extends TopicPartition {
  /** Oldest record that is still there. */
  readonly low: number;
  /** The one that will come next. */
  readonly end: number;
  /** First record written since the time asked for; `end` without one. */
  readonly recent: number;
}

/** What operators ask a cluster about topics and groups, whoever reads them at the moment. */
export class TopicExtents {
  constructor(
    private readonly admin: Admin,
    private readonly topics: KafkaTopics,
  ) {}

  /** Of those of these topics that exist. @param since milliseconds since the epoch. */
  async of(names: readonly string[], since: number): Promise<PartitionExtent[]> {
    await this.topics.refresh();
    const existing = names.filter((name) => this.topics.countOf(name) > 0);
    try {
      return (await Promise.all(existing.map((topic) => this.#ofTopic(topic, since)))).flat();
    } catch (error) {
      throw kafkaError(error, 'reading how far topics are written');
    }
  }

  /** The next record of each partition that a group will take; those it took nothing of are left out. */
  async taken(group: string, names: readonly string[]): Promise<(TopicPartition & { readonly offset: number })[]> {
    const topics = names.filter((name) => this.topics.countOf(name) > 0).map((name) => this.topics.storedName(name));
    if (topics.length === 0) return [];
    try {
      const found = await this.admin.fetchOffsets({ groupId: this.topics.storedName(group), topics });
      return found.flatMap(({ topic, partitions }) =>
        partitions
          .map(({ partition, offset }) => ({ topic: this.topics.ownName(topic), partition, offset: Number(offset) }))
          .filter(({ offset }) => offset >= 0),
      );
    } catch (error) {
      throw kafkaError(error, `reading how far the group ${group} is`);
    }
  }

  async #ofTopic(topic: string, since: number): Promise<PartitionExtent[]> {
    const name = this.topics.storedName(topic);
    const [extents, later] = await Promise.all([
      this.admin.fetchTopicOffsets(name),
      this.admin.fetchTopicOffsetsByTimestamp(name, since),
    ]);
    const recent = new Map(later.map(({ partition, offset }) => [partition, Number(offset)]));
    return extents.map(({ partition, low, high }) => {
      const first = recent.get(partition) ?? -1;
      return { topic, partition, low: Number(low), end: Number(high), recent: first < 0 ? Number(high) : first };
    });
  }
}
