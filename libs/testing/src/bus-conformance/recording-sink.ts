import type {
  BusDriver,
  BusRecord,
  OutgoingRecord,
  Position,
  RecordSink,
  Subscription,
  TopicPartition,
} from '@ragmesh/messaging';

/** Keeps what it is given, in the order of arrival. */
export class RecordingSink implements RecordSink {
  readonly records: BusRecord[] = [];
  readonly lost: TopicPartition[] = [];
  onDeliver: ((records: readonly BusRecord[]) => void) | undefined;

  deliver(records: readonly BusRecord[]): void {
    this.records.push(...records);
    this.onDeliver?.(records);
  }

  revoked(partitions: readonly TopicPartition[]): Promise<void> {
    this.lost.push(...partitions);
    return Promise.resolve();
  }

  values(): string[] {
    return this.records.map(({ value }) => Buffer.from(value).toString());
  }

  distinct(): number {
    return new Set(this.records.map(({ partition, offset }) => `${partition}:${offset}`)).size;
  }

  partitions(): number[] {
    return [...new Set(this.records.map(({ partition }) => partition))].sort((a, b) => a - b);
  }
}

export interface Member {
  readonly sink: RecordingSink;
  readonly subscription: Subscription;
}

export async function join(driver: BusDriver, topic: string, group: string): Promise<Member> {
  const sink = new RecordingSink();
  return { sink, subscription: await driver.subscribe({ group, topics: [topic], sink }) };
}

/** Commits everything delivered from now on, as a consumer that is done at once. */
export async function joinCommitting(driver: BusDriver, topic: string, group: string): Promise<Member> {
  const sink = new RecordingSink();
  const early: Position[][] = [];
  let commit = (positions: Position[]): void => void early.push(positions);
  sink.onDeliver = (records) => commit(positionsAfter(records));
  const subscription = await driver.subscribe({ group, topics: [topic], sink });
  commit = (positions) => void subscription.commit(positions).catch(() => undefined);
  early.forEach((positions) => commit(positions));
  return { sink, subscription };
}

/** The positions that follow these records. */
export function positionsAfter(records: readonly BusRecord[]): Position[] {
  const last = new Map(records.map((record) => [`${record.topic}/${record.partition}`, record]));
  return [...last.values()].map(({ topic, partition, offset }) => ({ topic, partition, offset: offset + 1 }));
}

export function record(topic: string, value: string | Uint8Array, partition = 0, key = 'key'): OutgoingRecord {
  return { topic, partition, key, headers: {}, value: typeof value === 'string' ? Buffer.from(value) : value };
}

/** `count` records spread over the partitions in turn, with values `prefix0`, `prefix1`, … */
export function numbered(topic: string, count: number, partitions = 1, prefix = ''): OutgoingRecord[] {
  return Array.from({ length: count }, (_, index) =>
    record(topic, `${prefix}${index}`, index % partitions, `key-${index % partitions}`),
  );
}
