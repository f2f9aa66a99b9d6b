import type { BusRecord, TopicPartition } from '../driver/bus-driver.js';
import { deliverySlices } from '../driver/delivery-slices.js';

/** Records handed over at once, so that a consumer can say "enough" in between. */
const SLICE = 256;
/** A partition whose consumer is busy is fetched ahead up to here, so that it goes on without waiting for a fetch. */
const STOP_FETCHING_AT = 512 * 1024;
const FETCH_AGAIN_AT = 128 * 1024;

export interface FeedOutlet {
  deliver(records: readonly BusRecord[]): void;
  /** Asks for the partition to be fetched or not. */
  fetch(on: boolean): void;
}

interface Mark {
  readonly offset: number;
  readonly timestamp: number;
}

/**
 * One partition between kafkajs and the consumer, for as long as this member holds it. Pausing takes effect here and at
 * once; kafkajs is told only when too much has piled up, because it takes up a paused partition again only after its
 * current fetch.
 */
export class PartitionFeed {
  /** False once the partition belongs to another member. */
  isHeld = true;
  /** The offset that follows the last record taken from kafkajs. */
  next: number | undefined;
  readonly #waiting: ReturnType<typeof deliverySlices> = [];
  #waitingBytes = 0;
  #isPaused = false;
  #isDelivering = false;
  #isFetched = true;
  /** Where each slice began, so that the age of the oldest record not committed is known without keeping records. */
  readonly #marks: Mark[] = [];

  constructor(
    readonly id: TopicPartition,
    private readonly outlet: FeedOutlet,
  ) {}

  /** Takes what was fetched; delivers it now, or once the consumer goes on. */
  accept(records: BusRecord[]): void {
    const last = records.at(-1);
    if (!last) return;
    this.next = last.offset + 1;
    for (const slice of deliverySlices(records, SLICE)) {
      const { offset, timestamp } = slice.records[0]!;
      this.#marks.push({ offset, timestamp });
      this.#waiting.push(slice);
      this.#waitingBytes += slice.bytes;
    }
    this.#deliver();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  /** The partition is gone: what waits is read by its new owner. */
  release(): void {
    this.isHeld = false;
    this.#waiting.length = 0;
  }

  /** When the oldest record at or after this position was written; undefined when none was fetched. */
  oldestSince(position: number): number | undefined {
    this.committed(position);
    return this.next !== undefined && position < this.next ? this.#marks[0]?.timestamp : undefined;
  }

  /** Forgets what lies before this position. */
  committed(position: number): void {
    const after = this.#marks.findIndex(({ offset }) => offset > position);
    const current = after === -1 ? this.#marks.length - 1 : after - 1;
    if (current > 0) this.#marks.splice(0, current);
  }

  #deliver(): void {
    if (this.#isDelivering) return; // resumed from within a delivery: the loop below goes on
    this.#isDelivering = true;
    while (!this.#isPaused && this.#waiting.length > 0) {
      const slice = this.#waiting.shift()!;
      this.#waitingBytes -= slice.bytes;
      this.outlet.deliver(slice.records);
    }
    this.#isDelivering = false;
    this.#regulate();
  }

  #regulate(): void {
    if (!this.isHeld) return;
    const wanted = this.#isFetched ? this.#waitingBytes < STOP_FETCHING_AT : this.#waitingBytes <= FETCH_AGAIN_AT;
    if (wanted === this.#isFetched) return;
    this.#isFetched = wanted;
    this.outlet.fetch(wanted);
  }
}
