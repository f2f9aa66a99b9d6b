import type { ConnectionOptions } from 'node:tls';
import { MAX_RECORD_BYTES } from '../driver/record-limit.js';

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** How the bus reaches a Kafka cluster. `brokers` and `clientId` are needed, the rest has defaults for production. */
export interface KafkaBusOptions {
  /** `host:port` of some brokers; the others are found through them. */
  readonly brokers: readonly string[];
  /** Names this process in the brokers' logs and quotas. */
  readonly clientId: string;
  /** Put in front of every topic and group name, so that installations can share a cluster. */
  readonly topicPrefix?: string;
  readonly sasl?: KafkaSasl;
  /** `true` for TLS with the system's authorities, or what Node's TLS takes (`ca`, `cert`, `key`, `servername`). */
  readonly tls?: boolean | ConnectionOptions;
  /** Largest record in bytes, key and headers included. Default 1 MiB, as with the embedded bus. */
  readonly maxRecordBytes?: number;
  /** Copies of each topic that is created, and fewest wanted of others. Default 3, or the number of brokers where there are fewer. */
  readonly replicationFactor?: number;
  /** How long a silent member keeps its partitions, in milliseconds. Default 10,000; brokers allow 6,000 and more unless told. */
  readonly sessionTimeoutMs?: number;
  /** How long closing may take before what is left is abandoned, in milliseconds. Default 10,000. */
  readonly closeTimeoutMs?: number;
  /** Told of failures in the background: those the bus recovers from, and those that fail liveness. */
  readonly onError?: (error: unknown) => void;
}

export type ResolvedKafkaOptions = Required<Omit<KafkaBusOptions, 'sasl' | 'tls' | 'replicationFactor'>> &
  Pick<KafkaBusOptions, 'sasl' | 'tls' | 'replicationFactor'>;

/** Options with every default filled in. */
export function resolveKafkaOptions(options: KafkaBusOptions): ResolvedKafkaOptions {
  return {
    ...options,
    topicPrefix: options.topicPrefix ?? '',
    maxRecordBytes: options.maxRecordBytes ?? MAX_RECORD_BYTES,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
    closeTimeoutMs: options.closeTimeoutMs ?? 10_000,
    onError: options.onError ?? (() => undefined),
  };
}
