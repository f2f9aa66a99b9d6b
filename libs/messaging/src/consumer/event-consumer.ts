import { setTimeout as delay } from 'node:timers/promises';
import type { BusDriver, BusRecord, Position, RecordSink, Subscription, TopicPartition } from '../driver/bus-driver.js';
import { heldBytes } from '../driver/delivery-slices.js';
import type { DeliveryPipeline } from '../pipeline/delivery-pipeline.js';
import { KeyQueues, type Work } from './key-queues.js';
import { OffsetTracker } from './offset-tracker.js';

export interface ConsumerOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Handlers running at once. */
  readonly concurrency: number;
}

/** A partition stops being fed at this many unfinished records, or bytes of them, and goes on at half of it. */
const MAX_IN_FLIGHT = 512;
const MAX_BYTES_IN_FLIGHT = 4 * 1024 * 1024;
const COMMIT_INTERVAL_MS = 50;
const RETRY_STORAGE_MS = 500;
/** What handlers get to end after they were aborted. */
const INTERRUPT_MS = 1_000;

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
    // Time to note that they were interrupted, which is no sign of a crash.
    await Promise.race([this.#queues.drained(), delay(INTERRUPT_MS, undefined, { ref: false })]);
    clearTimeout(this.#commitTimer);
    await this.#commit();
    await subscription.close();
  }

  deliver(records: readonly BusRecord[]): void {
    const first = records[0];
    if (!first || this.#stopping.signal.aborted) return;
    const partition = this.#partition(first);
    for (const record of records) partition.tracker.add(record.offset, heldBytes(record));
    if (!partition.paused && hasEnough(partition)) {
      partition.paused = true;
      this.#subscription?.pause([partition.id]);
    }
    for (const record of records) {
      const { topic, key, headers } = record;
      const work: Work = (leaveSlot) => this.#process(partition, record, leaveSlot);
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

  async #process(partition: Partition, record: BusRecord, leaveSlot: () => void): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { signal } = partition.owned;
    const attempts = this.pipeline.attemptsAt(signal);
    const hasRun = await this.#untilStored(partition, () => this.pipeline.run(record, attempts, leaveSlot));
    await attempts.close();
    // A run that was aborted need not have ended, so its position is not passed. What did end is known when it comes again.
    if (!hasRun || signal.aborted) return;
    partition.tracker.complete(record.offset);
    if (partition.paused && hasRoom(partition)) {
      partition.paused = false;
      this.#subscription?.resume([partition.id]);
    }
    this.#commitSoon(COMMIT_INTERVAL_MS);
  }

  /**
   * The pipeline fails only when the journal's database does: nothing can be decided without it, so it waits.
   * @returns false when the partition went away or the service stops meanwhile.
   */
  async #untilStored({ owned }: Partition, work: () => Promise<void>): Promise<boolean> {
    while (!owned.signal.aborted && !this.#stopping.signal.aborted) {
      try {
        await work();
        return true;
      } catch (error) {
        this.pipeline.reportStalled(error);
        await delay(RETRY_STORAGE_MS, undefined, { signal: owned.signal, ref: false }).catch(() => undefined);
      }
    }
    return false;
  }

  #commitSoon(afterMs: number): void {
    this.#commitTimer ??= setTimeout(() => void this.#commit(), afterMs).unref();
  }

  async #commit(): Promise<void> {
    this.#commitTimer = undefined;
    const taken: { tracker: OffsetTracker; position: Position }[] = [];
    for (const { id, tracker } of this.#partitions.values()) {
      const offset = tracker.takePosition();
      if (offset !== undefined) taken.push({ tracker, position: { ...id, offset } });
    }
    if (taken.length === 0) return;
    try {
      await this.#subscription?.commit(taken.map(({ position }) => position));
    } catch (error) {
      // A lost commit means redelivery, which the inbox absorbs; but an idle partition has no next one that would make up for it.
      this.pipeline.reportStalled(error);
      for (const { tracker, position } of taken) tracker.putBack(position.offset);
      if (!this.#stopping.signal.aborted) this.#commitSoon(RETRY_STORAGE_MS);
    }
  }
}

const hasEnough = ({ tracker }: Partition): boolean =>
  tracker.inFlight >= MAX_IN_FLIGHT || tracker.bytesInFlight >= MAX_BYTES_IN_FLIGHT;

const hasRoom = ({ tracker }: Partition): boolean =>
  tracker.inFlight <= MAX_IN_FLIGHT / 2 && tracker.bytesInFlight <= MAX_BYTES_IN_FLIGHT / 2;
