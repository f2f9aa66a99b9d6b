import { setTimeout as delay } from 'node:timers/promises';
import type { BusDriver, BusRecord, Position, RecordSink, Subscription, TopicPartition } from '../driver/bus-driver.js';
import type { DeliveryPipeline } from '../pipeline/delivery-pipeline.js';
import { KeyQueues } from './key-queues.js';
import { OffsetTracker } from './offset-tracker.js';

export interface ConsumerOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Handlers running at once. */
  readonly concurrency: number;
}

/** A partition stops being fed at this many unfinished records and goes on at half of it. */
const MAX_IN_FLIGHT = 512;
const COMMIT_INTERVAL_MS = 50;
const RETRY_STORAGE_MS = 500;

interface Partition {
  readonly id: TopicPartition;
  readonly tracker: OffsetTracker;
  /** Aborted when the partition moves away or the service stops. */
  readonly owned: AbortController;
  paused: boolean;
}

/** Feeds records from the bus through the pipeline and commits what is contiguous and complete. */
export class EventConsumer implements RecordSink {
  readonly #partitions = new Map<string, Partition>();
  readonly #queues: KeyQueues;
  readonly #stopping = new AbortController();
  #subscription: Subscription | undefined;
  #commitTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly pipeline: DeliveryPipeline,
    private readonly options: ConsumerOptions,
  ) {
    this.#queues = new KeyQueues(options.concurrency);
  }

  async start(driver: BusDriver): Promise<Subscription> {
    this.#subscription = await driver.subscribe({ group: this.options.group, topics: this.options.topics, sink: this });
    return this.#subscription;
  }

  /** Finishes or aborts what runs by the deadline, commits, leaves the group. */
  async stop(deadlineMs: number): Promise<void> {
    const subscription = this.#subscription;
    if (!subscription) return;
    subscription.pause([...this.#partitions.values()].map(({ id }) => id));
    this.#stopping.abort();
    await Promise.race([this.#queues.drained(), delay(deadlineMs, undefined, { ref: false })]);
    for (const { owned } of this.#partitions.values()) owned.abort();
    clearTimeout(this.#commitTimer);
    await this.#commit();
    await subscription.close();
  }

  deliver(records: readonly BusRecord[]): void {
    const first = records[0];
    if (!first || this.#stopping.signal.aborted) return;
    const partition = this.#partition(first);
    for (const { offset } of records) partition.tracker.add(offset);
    if (!partition.paused && partition.tracker.inFlight >= MAX_IN_FLIGHT) {
      partition.paused = true;
      this.#subscription?.pause([partition.id]);
    }
    for (const record of records) {
      const { topic, key, headers } = record;
      const work = (): Promise<void> => this.#process(partition, record);
      this.#queues.run(`${topic}/${record.partition}/${key}`, work, headers['ce_tenant']);
    }
  }

  revoked(partitions: readonly TopicPartition[]): Promise<void> {
    for (const id of partitions) {
      const name = `${id.topic}/${id.partition}`;
      this.#partitions.get(name)?.owned.abort();
      this.#partitions.delete(name);
    }
    return Promise.resolve();
  }

  #partition({ topic, partition }: TopicPartition): Partition {
    const name = `${topic}/${partition}`;
    const known = this.#partitions.get(name);
    if (known) return known;
    const fresh: Partition = {
      id: { topic, partition },
      tracker: new OffsetTracker(),
      owned: new AbortController(),
      paused: false,
    };
    this.#partitions.set(name, fresh);
    return fresh;
  }

  async #process(partition: Partition, record: BusRecord): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const done = await this.#untilStored(partition, async () => {
      await this.pipeline.run(record, partition.owned.signal);
      return true;
    });
    if (!done) return;
    partition.tracker.complete(record.offset);
    if (partition.paused && partition.tracker.inFlight <= MAX_IN_FLIGHT / 2) {
      partition.paused = false;
      this.#subscription?.resume([partition.id]);
    }
    this.#commitTimer ??= setTimeout(() => void this.#commit(), COMMIT_INTERVAL_MS).unref();
  }

  /** The pipeline fails only when the journal's database does: nothing can be decided without it, so it waits. */
  async #untilStored<T>({ owned }: Partition, work: () => Promise<T>): Promise<T | undefined> {
    while (!owned.signal.aborted && !this.#stopping.signal.aborted) {
      try {
        return await work();
      } catch (error) {
        this.pipeline.reportStalled(error);
        await delay(RETRY_STORAGE_MS, undefined, { signal: owned.signal, ref: false }).catch(() => undefined);
      }
    }
    return undefined;
  }

  async #commit(): Promise<void> {
    this.#commitTimer = undefined;
    const positions: Position[] = [];
    for (const { id, tracker } of this.#partitions.values()) {
      const offset = tracker.takePosition();
      if (offset !== undefined) positions.push({ ...id, offset });
    }
    if (positions.length === 0) return;
    // A lost commit means redelivery, which the inbox absorbs.
    await this.#subscription?.commit(positions).catch((error: unknown) => this.pipeline.reportStalled(error));
  }
}
