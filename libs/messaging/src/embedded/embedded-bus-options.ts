import { MAX_RECORD_BYTES } from '../driver/record-limit.js';

/** How an embedded bus behaves. Only `databaseUrl` is needed. */
export interface EmbeddedBusOptions {
  /** A PostgreSQL database that belongs to the bus. */
  readonly databaseUrl: string;
  /** Put in front of every topic name, so that installations can share a database. */
  readonly topicPrefix?: string;
  /** Largest record in bytes, key and headers included. Default 1 MiB, as with Kafka. */
  readonly maxRecordBytes?: number;
  /** How often partitions are looked at when nothing wakes the reader, in milliseconds. Default 1,000. */
  readonly pollMs?: number;
  /** How long a silent member keeps its partitions, in milliseconds. Default 10,000. */
  readonly leaseMs?: number;
  readonly retention?: RetentionOptions;
  /** Told of failures in the background that the bus recovers from by itself. */
  readonly onError?: (error: unknown) => void;
}

export interface RetentionOptions {
  /** Removes records every group of the topic has committed, once `graceMs` old. Default true. */
  readonly removeConsumed?: boolean;
  /** Age in milliseconds up to which a consumed record is kept. Default 10 minutes. */
  readonly graceMs?: number;
  /** Pause between two sweeps in milliseconds. Default 30,000. */
  readonly intervalMs?: number;
}

export type ResolvedBusOptions = Required<Omit<EmbeddedBusOptions, 'retention'>> & {
  readonly retention: Required<RetentionOptions>;
};

/** Options with every default filled in. */
export function resolveBusOptions(options: EmbeddedBusOptions): ResolvedBusOptions {
  return {
    databaseUrl: options.databaseUrl,
    topicPrefix: options.topicPrefix ?? '',
    maxRecordBytes: options.maxRecordBytes ?? MAX_RECORD_BYTES,
    pollMs: options.pollMs ?? 1_000,
    leaseMs: options.leaseMs ?? 10_000,
    retention: { removeConsumed: true, graceMs: 600_000, intervalMs: 30_000, ...options.retention },
    onError: options.onError ?? (() => undefined),
  };
}
