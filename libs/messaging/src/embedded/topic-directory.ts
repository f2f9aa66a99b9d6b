import type { TopicSpec } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { TopicPartition } from '../driver/bus-driver.js';
import type { BusDatabase } from './bus-database.js';

interface PartitionRow extends Record<string, unknown> {
  id: number;
  topic: string;
  partition: number;
}

const HOUR_MS = 3_600_000;

/** Which partition has which number in the database. Partitions never go away, so what is known stays true. */
export class TopicDirectory {
  private readonly ids = new Map<string, number[]>();
  private readonly partitions = new Map<number, TopicPartition>();

  constructor(
    private readonly database: BusDatabase,
    private readonly prefix: string,
  ) {}

  /** Creates what is missing; a topic may gain partitions, never lose them. */
  async provision(topics: readonly TopicSpec[]): Promise<void> {
    const ordered = topics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const names = ordered.map(({ name }) => this.prefix + name);
    await this.database.query(
      `with wanted as (
         insert into bus.topic (name, partitions, retention_ms)
         select * from unnest($1::text[], $2::int[], $3::bigint[])
         on conflict (name) do update set retention_ms = excluded.retention_ms,
           partitions = greatest(topic.partitions, excluded.partitions)
         returning name, partitions)
       insert into bus.topic_partition (topic, partition)
       select name, number from wanted, generate_series(0, partitions - 1) as number order by name, number
       on conflict do nothing`,
      [
        names,
        ordered.map((topic) => topic.partitions),
        ordered.map((topic) => Math.round(topic.retentionHours * HOUR_MS)),
      ],
    );
    await this.refresh();
  }

  async refresh(): Promise<void> {
    const rows = await this.database.query<PartitionRow>(
      'select id, topic, partition from bus.topic_partition where starts_with(topic, $1) order by topic, partition',
      [this.prefix],
    );
    for (const { id, topic: stored, partition } of rows) {
      const topic = stored.slice(this.prefix.length);
      if (!this.ids.has(topic)) this.ids.set(topic, []);
      this.ids.get(topic)![partition] = id;
      this.partitions.set(id, { topic, partition });
    }
  }

  /** Looks again at the database when one of the topics is not known here, then insists on all. */
  async require(topics: readonly string[]): Promise<void> {
    if (topics.some((topic) => !this.ids.has(topic))) await this.refresh();
    for (const topic of topics) this.partitionsOf(topic);
  }

  knows(topic: string): boolean {
    return this.ids.has(topic);
  }

  partitionsOf(topic: string): number {
    const ids = this.ids.get(topic);
    if (!ids) throw new RagmeshError('CONFIG.INVALID', `Topic ${topic} does not exist; provision it first.`, { topic });
    return ids.length;
  }

  idOf({ topic, partition }: TopicPartition): number | undefined {
    return this.ids.get(topic)?.[partition];
  }

  /** The topic partition with this number, or undefined when it belongs to another installation. */
  partition(id: number): TopicPartition | undefined {
    return this.partitions.get(id);
  }

  storedName(topic: string): string {
    return this.prefix + topic;
  }
}
