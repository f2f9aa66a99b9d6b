import { GrowthAnalysis } from '@ragmesh/postgres';
import { RagmeshError } from '@ragmesh/errors';
import type { BusRecord, OutgoingRecord, PublishOutcome } from '../driver/bus-driver.js';
import { recordSize, tooLarge } from '../driver/record-limit.js';
import { type BusDatabase } from './bus-database.js';
import { frameRecord, type FramedRecord } from './record-frame.js';
import type { TopicDirectory } from './topic-directory.js';

interface WrittenRow extends Record<string, unknown> {
  first: string;
  id: number;
  written: number;
}

interface Waiting {
  readonly records: readonly FramedRecord[];
  readonly bytes: number;
  resolve(offsets: number[]): void;
  reject(error: Error): void;
}

const MAX_BATCH_RECORDS = 2_000;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

// The counters are locked in the order of their ids, so that two writers never wait for each other in a circle.
const WRITE = `
  with incoming as (
    select * from unnest($1::int[], $2::int[], $3::int[], $4::int[], $5::int[])
      with ordinality as r (id, start, key_size, headers_size, value_size, place)),
  counts as (select id, count(*) as records from incoming group by id),
  locked as (
    select p.id, p.next_offset as first, clock_timestamp() as written_at from bus.topic_partition p
    where p.id = any($7::int[]) order by p.id for update),
  advanced as (
    update bus.topic_partition p set next_offset = l.first + c.records
    from locked l join counts c using (id) where p.id = l.id),
  written as (
    insert into bus.record (partition_id, record_offset, written_at, key, headers, value)
    select i.id, l.first + row_number() over (partition by i.id order by i.place) - 1, l.written_at,
      substring($6::bytea from i.start for i.key_size),
      substring($6::bytea from i.start + i.key_size for i.headers_size),
      substring($6::bytea from i.start + i.key_size + i.headers_size for i.value_size)
    from incoming i join locked l using (id))
  select id, first, (extract(epoch from written_at) * 1000)::float8 as written from locked`;

/** Told of records once they are durable. */
export type OnAppended = (partitionId: number, records: readonly BusRecord[]) => void;

/**
 * Appends records, one statement at a time: what arrives while one is under way joins the next. So calls keep their
 * order, a commit is shared, and a partition's offsets have no gaps.
 */
export class RecordWriter {
  readonly #queue: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #closed = false;

  private readonly growth = new GrowthAnalysis((sql) => this.database.query(sql));

  constructor(
    private readonly database: BusDatabase,
    private readonly topics: TopicDirectory,
    private readonly maxRecordBytes: number,
    private readonly onAppended: OnAppended,
  ) {}

  async write(records: readonly OutgoingRecord[]): Promise<PublishOutcome[]> {
    if (records.some(({ topic }) => !this.topics.knows(topic))) await this.topics.refresh();
    const framed = records.map((record) => this.#check(frameRecord(record, this.topics.idOf(record))));
    const good = framed.filter((record): record is FramedRecord => !(record instanceof Error));
    const offsets = good.length === 0 ? [] : await this.#enqueue(good);
    let next = 0;
    return framed.map((record) =>
      record instanceof Error ? { error: record } : { partition: record.source.partition, offset: offsets[next++]! },
    );
  }

  /** Lets what was accepted finish; later calls are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  #check(record: FramedRecord): FramedRecord | RagmeshError {
    const { topic, partition } = record.source;
    if (record.partitionId === undefined) {
      return new RagmeshError('CONFIG.INVALID', `Topic ${topic} has no partition ${partition}.`, { topic, partition });
    }
    const size = recordSize(record.source, this.maxRecordBytes);
    return size <= this.maxRecordBytes ? record : tooLarge(record.source, size, this.maxRecordBytes);
  }

  #enqueue(records: readonly FramedRecord[]): Promise<number[]> {
    if (this.#closed) throw new RagmeshError('STORAGE.UNAVAILABLE', 'The event bus has been closed.');
    const bytes = records.reduce((sum, { size }) => sum + size, 0);
    return new Promise((resolve, reject) => {
      this.#queue.push({ records, bytes, resolve, reject });
      this.#draining ??= this.#drain().finally(() => (this.#draining = undefined));
    });
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // calls of the same turn share the first statement
    while (this.#queue.length > 0) {
      const batch = this.#nextBatch();
      try {
        const offsets = await this.#append(batch.flatMap(({ records }) => records));
        for (const { records, resolve } of batch) resolve(offsets.splice(0, records.length));
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
  }

  #nextBatch(): Waiting[] {
    let records = 0;
    let bytes = 0;
    const end = this.#queue.findIndex((waiting, index) => {
      records += waiting.records.length;
      bytes += waiting.bytes;
      return index > 0 && (records > MAX_BATCH_RECORDS || bytes > MAX_BATCH_BYTES);
    });
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end);
  }

  async #append(records: readonly FramedRecord[]): Promise<number[]> {
    const blob = Buffer.concat(records.flatMap(({ key, headers, value }) => [key, headers, value]));
    let start = 1;
    const starts = records.map(({ size }) => (start += size) - size);
    const ids = records.map(({ partitionId }) => partitionId!);
    const sizes = (part: 'key' | 'headers' | 'value') => records.map((record) => record[part].byteLength);
    const parameters = [ids, starts, sizes('key'), sizes('headers'), sizes('value'), blob, [...new Set(ids)]];
    const rows = await this.database.query<WrittenRow>(WRITE, parameters, 'bus.write');
    this.growth.noteTransaction();
    const heads = new Map(rows.map(({ id, first, written }) => [id, { next: Number(first), written }]));
    const appended = new Map<number, BusRecord[]>(ids.map((id) => [id, []]));
    const offsets = records.map(({ source, size, value, partitionId }, index) => {
      const head = heads.get(partitionId!)!;
      const end = starts[index]! - 1 + size;
      const own = blob.subarray(end - value.byteLength, end);
      const offset = head.next++;
      appended.get(partitionId!)!.push({ ...source, value: own, offset, timestamp: Math.floor(head.written) });
      return offset;
    });
    for (const [id, tail] of appended) this.onAppended(id, tail);
    return offsets;
  }
}
