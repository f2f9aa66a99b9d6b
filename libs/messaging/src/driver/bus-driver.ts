import type { TopicSpec } from '@ragmesh/contracts';

/** A record as it lies on a topic. Header names are lower case; `value` is never interpreted by a driver. */
export interface BusRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Uint8Array;
  /** Milliseconds since the epoch, by the bus's clock. */
  readonly timestamp: number;
}

/** A record to publish. The partition is explicit, so a resend cannot land on another one. */
export type OutgoingRecord = Pick<BusRecord, 'topic' | 'partition' | 'key' | 'headers' | 'value'>;

/** What became of one record: where it lies, or why it was not written. */
export type PublishOutcome = { readonly partition: number; readonly offset: number } | { readonly error: Error };

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `offset` is the next record to read. */
export interface Position extends TopicPartition {
  readonly offset: number;
}

export interface PartitionLag extends TopicPartition {
  /** Records not yet committed by the group. */
  readonly records: number;
  /** Age of the oldest of them in seconds; 0 without any. */
  readonly seconds: number;
}

/** The receiving end of a subscription. Neither call may throw or block. */
export interface RecordSink {
  /**
   * Records of one partition, in offset order, following on from the last delivery since the partition was assigned. At most
   * 1 MiB at once, or one record, so that `pause` can come before too much is in memory.
   */
  deliver(records: readonly BusRecord[]): void;
  /** These partitions now belong to another member: work on them must stop; commits for them will be refused. */
  revoked(partitions: readonly TopicPartition[]): Promise<void>;
}

/** One member of a consumer group. */
export interface Subscription {
  /** Stores the group's positions. A position of a partition this member no longer owns is ignored. */
  commit(positions: readonly Position[]): Promise<void>;
  /** Stops deliveries of these partitions until `resume`; used for back-pressure. */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  lag(): Promise<PartitionLag[]>;
  /** False once the member cannot recover by itself; fails liveness. */
  isAlive(): boolean;
  /** Leaves the group; partitions are handed over at once. No delivery happens after it resolves. */
  close(): Promise<void>;
}

export interface SubscribeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly sink: RecordSink;
}

/**
 * A durable, partitioned log with consumer groups. Order holds per partition; delivery is at least once; a group starts
 * at the beginning of a topic it has no position for. Topic names are given without the installation's prefix.
 */
export interface BusDriver {
  /** Resolves once the bus can be asked anything, and rejects when it never will; one without it can from the start. */
  readonly connected?: Promise<void>;
  /** Creates topics that are missing; idempotent and safe to run at once from several processes. */
  provision(topics: readonly TopicSpec[]): Promise<void>;
  /** Number of partitions of a provisioned topic. */
  partitionsOf(topic: string): number;
  /** Writes records and answers for each, in the order given. Durable once it resolves; rejects only when all failed. */
  publish(records: readonly OutgoingRecord[]): Promise<PublishOutcome[]>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  close(): Promise<void>;
}
