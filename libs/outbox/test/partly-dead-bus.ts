import { RagmeshError } from '@ragmesh/errors';
import { partitionForKey, type OutgoingRecord } from '@ragmesh/messaging';

export const TOPIC = 'events';
const PARTITIONS = 6;
const away = new RagmeshError('DEPENDENCY.UNAVAILABLE', 'It has no leader.');

/** A bus that answers as Kafka does: what a dead partition is given fails, and a call of which nothing is written rejects. */
export class PartlyDeadBus {
  readonly published: OutgoingRecord[] = [];
  readonly dead = new Set<number>();
  /** What becomes of a record, by its key. */
  readonly refused = new Map<string, RagmeshError>();
  /** Partitions of which nothing is said until this resolves. */
  readonly silent = new Map<number, Promise<unknown>>();
  calls = 0;
  /** What calls were made of; one that is made again, because its answer could not be noted, is the same. */
  readonly batches = new Set<string>();
  beforeAnswer: () => Promise<unknown> = async () => undefined;

  partitionsOf(topic: string): number {
    if (topic !== TOPIC) throw new RagmeshError('CONFIG.INVALID', `Topic ${topic} does not exist.`);
    return PARTITIONS;
  }

  async publish(records: readonly OutgoingRecord[]) {
    this.calls += 1;
    this.batches.add(records.map(({ key }) => key).join());
    await Promise.all(records.map(({ partition }) => this.silent.get(partition)));
    if (records.every(({ partition }) => this.dead.has(partition))) throw away;
    const outcomes = records.map((record) => {
      if (this.dead.has(record.partition)) return { error: away };
      const refusal = this.refused.get(record.key);
      if (refusal) return { error: refusal };
      return { partition: record.partition, offset: this.published.push(record) };
    });
    await this.beforeAnswer();
    return outcomes;
  }

  get keys(): string[] {
    return this.published.map(({ key }) => key);
  }
}

export const partitionOf = (key: string): number => partitionForKey(key, PARTITIONS);

/** So many keys whose records go to a partition. */
export const keysOf = (partition: number, count: number): string[] =>
  Array.from({ length: (count + 10) * PARTITIONS * 2 }, (_, number) => `key-${number}`)
    .filter((key) => partitionOf(key) === partition)
    .slice(0, count);
