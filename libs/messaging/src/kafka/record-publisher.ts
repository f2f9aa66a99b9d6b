import { RagmeshError } from '@ragmesh/errors';
import type { Producer } from 'kafkajs';
import type { OutgoingRecord, PublishOutcome } from '../driver/bus-driver.js';
import type { KafkaTopics } from './kafka-topics.js';
import { PartitionWriter } from './partition-writer.js';

interface Share {
  readonly writer: PartitionWriter;
  readonly records: OutgoingRecord[];
  /** Where each record stands in the call. */
  readonly places: number[];
}

/** Splits a call by partition, writes the parts at once, and puts the outcomes back in the order of the call. */
export class RecordPublisher {
  readonly #writers = new Map<string, PartitionWriter[]>();
  #closed = false;

  constructor(
    private readonly producer: Producer,
    private readonly topics: KafkaTopics,
    private readonly maxRecordBytes: number,
  ) {}

  async publish(records: readonly OutgoingRecord[]): Promise<PublishOutcome[]> {
    if (this.#closed) throw new RagmeshError('STORAGE.UNAVAILABLE', 'The event bus has been closed.');
    await this.topics.know(records.map(({ topic }) => topic));
    const outcomes = new Array<PublishOutcome>(records.length);
    const written = this.#share(records, outcomes).map(async ({ writer, records: own, places }) => {
      const ownOutcomes = await writer.append(own);
      for (const [index, outcome] of ownOutcomes.entries()) outcomes[places[index]!] = outcome;
    });
    await Promise.all(written);
    const [first] = outcomes;
    // An outage is told once, as a rejection; a record that can never be written is told on its own.
    if (first && outcomes.every(isTransient) && 'error' in first) throw first.error;
    return outcomes;
  }

  /** Lets what was accepted finish; later calls are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#writers.values()].flat().map((writer) => writer.settled()));
  }

  #share(records: readonly OutgoingRecord[], outcomes: PublishOutcome[]): Share[] {
    const shares = new Map<PartitionWriter, Share>();
    for (const [place, record] of records.entries()) {
      const writer = this.#writer(record);
      if (!writer) {
        outcomes[place] = { error: this.#noSuchPartition(record) };
        continue;
      }
      let share = shares.get(writer);
      if (!share) shares.set(writer, (share = { writer, records: [], places: [] }));
      share.records.push(record);
      share.places.push(place);
    }
    return [...shares.values()];
  }

  #writer({ topic, partition }: OutgoingRecord): PartitionWriter | undefined {
    let writers = this.#writers.get(topic);
    if (!writers) this.#writers.set(topic, (writers = []));
    if (writers[partition]) return writers[partition];
    if (!(partition >= 0 && partition < this.topics.countOf(topic))) return undefined;
    const stored = this.topics.storedName(topic);
    return (writers[partition] = new PartitionWriter(this.producer, stored, partition, this.maxRecordBytes));
  }

  /** A missing topic is put right by provisioning it, so its records wait; a wrong partition stays wrong. */
  #noSuchPartition({ topic, partition }: OutgoingRecord): RagmeshError {
    if (this.topics.countOf(topic) > 0) {
      return new RagmeshError('CONFIG.INVALID', `Topic ${topic} has no partition ${partition}.`, { topic, partition });
    }
    return new RagmeshError('DEPENDENCY.UNAVAILABLE', `Topic ${topic} does not exist; provision it.`, { topic });
  }
}

const isTransient = (outcome: PublishOutcome): boolean =>
  'error' in outcome && (outcome.error as Partial<RagmeshError>).retry !== 'permanent';
