import type { BusRecord, RecordSink } from '../driver/bus-driver.js';
import { deliverySlices } from '../driver/delivery-slices.js';
import type { BusDatabase } from './bus-database.js';
import type { Claim } from './group-store.js';
import { recordOfRow, type RecordRow } from './record-frame.js';
import type { TopicDirectory } from './topic-directory.js';

interface OwnedPartition {
  claim: Claim;
  position: number;
}

const READ_RECORDS = 1_000;
const READ_BYTES = 4 * 1024 * 1024;

const READ = `
  select w.id, r.record_offset, r.key, r.headers, r.value, (extract(epoch from r.written_at) * 1000)::float8 as written
  from unnest($1::int[], $2::bigint[]) as w (id, start)
  join bus.topic_partition p on p.id = w.id and p.next_offset > w.start
  cross join lateral (
    select q.*, sum(octet_length(q.value)) over (order by q.record_offset) - octet_length(q.value) as before
    from (select * from bus.record where partition_id = w.id and record_offset >= w.start
          order by record_offset limit $3) q) r
  where r.before < $4 order by w.id, r.record_offset`;

/** What a reader needs to know of its member. */
export interface ReaderContext {
  readonly sink: RecordSink;
  /** False once the lease may have run out by the local, monotonic clock: then another member may be reading. */
  mayDeliver(): boolean;
  failed(error: unknown): void;
}

/**
 * Pushes records of the partitions held into the sink: what this process wrote straight from memory, everything else by
 * one statement for all partitions that have news. Memory is bounded by one read; the sink pauses what it cannot take.
 */
export class PartitionReader {
  readonly #owned = new Map<number, OwnedPartition>();
  readonly #paused = new Set<number>();
  /** Partitions that may have unread records. */
  readonly #dirty = new Set<number>();
  /** Those among them that were reported again while a read was under way. */
  readonly #dirtyAgain = new Set<number>();
  #reading: Promise<void> | undefined;
  #closed = false;

  constructor(
    private readonly database: BusDatabase,
    private readonly topics: TopicDirectory,
    private readonly context: ReaderContext,
  ) {}

  claims(): Claim[] {
    return [...this.#owned.values()].map(({ claim }) => claim);
  }

  claimOf(partitionId: number): Claim | undefined {
    return this.#owned.get(partitionId)?.claim;
  }

  start(claim: Claim): void {
    this.#owned.set(claim.partitionId, { claim, position: claim.offset });
    this.wake([claim.partitionId]);
  }

  /** No delivery of these partitions happens after the call. */
  stop(partitionIds: readonly number[]): void {
    for (const id of partitionIds) {
      this.#owned.delete(id);
      this.#dirty.delete(id);
      this.#paused.delete(id);
    }
  }

  pause(partitionId: number): void {
    this.#paused.add(partitionId);
  }

  resume(partitionId: number): void {
    if (this.#paused.delete(partitionId)) this.wake([partitionId]);
  }

  /** Looks for news of these partitions, or of all. */
  wake(partitionIds: Iterable<number> = this.#owned.keys()): void {
    for (const id of partitionIds) if (this.#owned.has(id)) this.#mark(id);
    if (this.#dirty.size > 0 && !this.#closed)
      this.#reading ??= this.#readAll().finally(() => (this.#reading = undefined));
  }

  /** Delivers durable records of this process at once when they follow on; else the database is asked. */
  appended(partitionId: number, records: readonly BusRecord[]): void {
    const owned = this.#owned.get(partitionId);
    if (!owned || records.length === 0) return;
    const followsOn = owned.position === records[0]!.offset && !this.#dirty.has(partitionId);
    if (followsOn && !this.#paused.has(partitionId) && !this.#closed && this.context.mayDeliver())
      this.#deliver(owned, records);
    else this.wake([partitionId]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.stop([...this.#owned.keys()]);
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    try {
      for (let ids = this.#readable(); ids.length > 0 && !this.#closed; ids = this.#readable()) {
        await this.#read(ids);
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      if (!this.#closed) this.context.failed(error); // the next poll tries again
    }
  }

  #readable(): number[] {
    return this.context.mayDeliver() ? [...this.#dirty].filter((id) => !this.#paused.has(id)) : [];
  }

  /** A partition stays marked until a read has found it exhausted, so nothing overtakes the read from memory. */
  async #read(ids: readonly number[]): Promise<void> {
    const asked = new Map(ids.map((id) => [id, this.#owned.get(id)!]));
    const starts = [...asked.values()].map(({ position }) => position);
    const limits = [Math.ceil(READ_RECORDS / ids.length), Math.ceil(READ_BYTES / ids.length)];
    this.#dirtyAgain.clear();
    const rows = await this.database.query<RecordRow>(READ, [ids, starts, ...limits], 'bus.read');
    const found = Map.groupBy(rows, ({ id }) => id);
    for (const id of ids) {
      const owned = this.#owned.get(id);
      if (!owned || owned !== asked.get(id)) continue;
      const news = found.get(id);
      if (!news) {
        if (!this.#dirtyAgain.has(id)) this.#dirty.delete(id);
        continue;
      }
      if (this.#paused.has(id) || !this.context.mayDeliver()) continue;
      const { topic, partition } = this.topics.partition(id)!;
      this.#deliver(
        owned,
        news.map((row) => recordOfRow(row, topic, partition)),
      );
    }
  }

  #mark(id: number): void {
    if (this.#dirty.has(id)) this.#dirtyAgain.add(id);
    this.#dirty.add(id);
  }

  /** Until the sink has enough: what is left then is read again once it goes on. */
  #deliver(owned: OwnedPartition, all: readonly BusRecord[]): void {
    const id = owned.claim.partitionId;
    for (const { records } of deliverySlices(all)) {
      if (this.#paused.has(id) || this.#owned.get(id) !== owned) return;
      owned.position = records.at(-1)!.offset + 1;
      try {
        this.context.sink.deliver(records);
      } catch (error) {
        this.context.failed(error);
      }
    }
  }
}
