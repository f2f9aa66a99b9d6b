import { RagmeshError } from '@ragmesh/errors';
import type { Message, Producer } from 'kafkajs';
import type { OutgoingRecord, PublishOutcome } from '../driver/bus-driver.js';
import { recordSize, tooLarge } from '../driver/record-limit.js';
import { isTooLarge, kafkaError } from './kafka-error.js';

/** kafkajs copies its list of messages once per message, so more in one batch is slower. */
const MAX_BATCH_RECORDS = 500;
const MAX_BATCH_BYTES = 900_000;
const ALL_IN_SYNC = -1;
const ACK_TIMEOUT_MS = 10_000;

interface Waiting {
  readonly records: readonly OutgoingRecord[];
  readonly outcomes: PublishOutcome[];
  /** The first record that is neither written nor given up. */
  next: number;
  resolve(outcomes: PublishOutcome[]): void;
}

interface Batch {
  readonly messages: Message[];
  /** Whose record each message is, and which. */
  readonly owners: Waiting[];
  readonly places: number[];
}

/**
 * Writes one partition, one `send()` at a time: what arrives while one is under way joins the next, so that calls keep
 * their order also through a retry. A `send()` never spans partitions: kafkajs 2.2.4 forgets a partition of such a send when
 * a leader changes between its retries, and still reports success.
 */
export class PartitionWriter {
  readonly #queue: Waiting[] = [];
  #draining: Promise<void> | undefined;

  constructor(
    private readonly producer: Producer,
    /** The topic's name in the cluster. */
    private readonly topic: string,
    private readonly partition: number,
    private readonly maxRecordBytes: number,
  ) {}

  /** Never rejects. After a failed record of a call, the later ones of that call are not written, so none overtakes it. */
  append(records: readonly OutgoingRecord[]): Promise<PublishOutcome[]> {
    return new Promise((resolve) => {
      this.#queue.push({ records, outcomes: [], next: 0, resolve });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves once what was accepted so far is settled. */
  async settled(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // calls of the same turn share the first batch
    while (this.#queue.length > 0) {
      const batch = this.#nextBatch();
      if (batch.messages.length > 0) await this.#write(batch);
      while (this.#queue[0] && this.#queue[0].next >= this.#queue[0].records.length) {
        const { resolve, outcomes } = this.#queue.shift()!;
        resolve(outcomes);
      }
    }
    this.#draining = undefined; // in the turn that found the queue empty: who calls in the next one starts anew
  }

  #nextBatch(): Batch {
    const batch: Batch = { messages: [], owners: [], places: [] };
    let bytes = 0;
    for (const waiting of this.#queue) {
      for (; waiting.next < waiting.records.length; waiting.next += 1) {
        const record = waiting.records[waiting.next]!;
        const size = recordSize(record, this.maxRecordBytes);
        if (size > this.maxRecordBytes) {
          waiting.outcomes[waiting.next] = { error: tooLarge(record, size, this.maxRecordBytes) };
          continue;
        }
        const isFull = batch.messages.length >= MAX_BATCH_RECORDS || bytes + size > MAX_BATCH_BYTES;
        if (isFull && batch.messages.length > 0) return batch;
        bytes += size;
        batch.messages.push(toMessage(record));
        batch.owners.push(waiting);
        batch.places.push(waiting.next);
      }
    }
    return batch;
  }

  /** @returns whether what follows may be written. */
  async #write(batch: Batch): Promise<boolean> {
    try {
      const first = await this.#send(batch.messages);
      for (let index = 0; index < batch.messages.length; index += 1) {
        const outcome = { partition: this.partition, offset: first + index };
        batch.owners[index]!.outcomes[batch.places[index]!] = outcome;
      }
      return true;
    } catch (error) {
      if (isTooLarge(error)) return this.#isolate(batch);
      this.#fail(batch, error);
      return false;
    }
  }

  #fail(batch: Batch, error: unknown): void {
    const outcome = { error: kafkaError(error, `writing to ${this.topic}/${this.partition}`) };
    for (const [index, owner] of batch.owners.entries()) owner.outcomes[batch.places[index]!] = outcome;
    for (const owner of new Set(batch.owners)) {
      for (; owner.next < owner.records.length; owner.next += 1) owner.outcomes[owner.next] = outcome;
    }
  }

  /** The topic's own limit is lower than ours: the halves find the record it will not take. */
  async #isolate({ messages, owners, places }: Batch): Promise<boolean> {
    if (messages.length === 1) {
      const record = owners[0]!.records[places[0]!]!;
      const error = tooLarge(record, recordSize(record, 0), this.maxRecordBytes);
      owners[0]!.outcomes[places[0]!] = { error };
      return true;
    }
    const middle = messages.length >> 1;
    const part = (from: number, to?: number): Batch => ({
      messages: messages.slice(from, to),
      owners: owners.slice(from, to),
      places: places.slice(from, to),
    });
    if (await this.#write(part(0, middle))) return this.#write(part(middle));
    this.#fail(part(middle), new Error('an earlier record of the batch failed'));
    return false;
  }

  /** @returns the offset of the first message. Rejects unless the answer names this partition. */
  async #send(messages: Message[]): Promise<number> {
    const answer = await this.producer.send({
      topic: this.topic,
      acks: ALL_IN_SYNC,
      timeout: ACK_TIMEOUT_MS,
      messages,
    });
    const written = answer.find(({ topicName, partition }) => topicName === this.topic && partition === this.partition);
    if (!written || written.errorCode !== 0 || written.baseOffset === undefined) {
      throw new RagmeshError(
        'DEPENDENCY.UNAVAILABLE',
        `Kafka did not confirm ${messages.length} records for ${this.topic}/${this.partition}; they are sent again.`,
        { topic: this.topic, partition: this.partition },
      );
    }
    return Number(written.baseOffset);
  }
}

function toMessage({ key, headers, value, partition }: OutgoingRecord): Message {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return { key, headers: headers as Record<string, string>, value: bytes, partition };
}
