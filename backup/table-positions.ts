import { consumerGroup, type ServiceName } from '@ragmesh/contracts';
import { Database, createPool } from '@ragmesh/postgres';
import { placeOf, type BusPositions, type PartitionExtent } from './bus-positions.js';

const EXTENTS = `
  SELECT substr(p.topic, length($2) + 1) AS topic, p.partition, p.next_offset AS "end",
    coalesce((SELECT min(r.record_offset) FROM bus.record r WHERE r.partition_id = p.id), p.next_offset) AS low,
    coalesce((SELECT min(r.record_offset) FROM bus.record r
      WHERE r.partition_id = p.id AND r.written_at >= clock_timestamp() - $3 * interval '1 second'), p.next_offset) AS recent
  FROM bus.topic_partition p WHERE p.topic = ANY($1) ORDER BY p.topic, p.partition`;

const HANDLED = `
  SELECT substr(p.topic, length($2) + 1) AS topic, p.partition, c.next_offset AS "offset"
  FROM bus.claim c JOIN bus.topic_partition p ON p.id = c.partition_id WHERE p.topic = ANY($1) AND c.group_name = $3`;

const MISSING = new Set(['3D000', '42P01', '3F000']);

/** Where the bus on tables stands; one that was never used stands nowhere. */
export class TablePositions implements BusPositions {
  readonly #database: Database;

  constructor(
    databaseUrl: string,
    private readonly prefix: string,
  ) {
    this.#database = new Database(createPool(databaseUrl, { max: 1, applicationName: 'ragmesh-backup' }));
  }

  extents(topics: readonly string[], recentSeconds: number): Promise<PartitionExtent[]> {
    return this.#rows<PartitionExtent>(EXTENTS, [this.#stored(topics), this.prefix, recentSeconds]);
  }

  async handledBy(service: ServiceName, topics: readonly string[]): Promise<Map<string, number>> {
    const values = [this.#stored(topics), this.prefix, consumerGroup(service)];
    const rows = await this.#rows<{ topic: string; partition: number; offset: number }>(HANDLED, values);
    return new Map(rows.map((row) => [placeOf(row), row.offset]));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #stored(topics: readonly string[]): string[] {
    return topics.map((topic) => this.prefix + topic);
  }

  async #rows<R extends object>(sql: string, values: readonly unknown[]): Promise<R[]> {
    try {
      return (await this.#database.query<R>(sql, values)).rows;
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

function isMissing(error: unknown): boolean {
  const { code, cause } = error as { code?: string; cause?: unknown };
  return MISSING.has(code ?? '') || (cause !== undefined && isMissing(cause));
}
