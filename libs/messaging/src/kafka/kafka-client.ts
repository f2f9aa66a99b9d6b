import { RagmeshError } from '@ragmesh/errors';
import type { AssignerProtocol, Kafka, KafkaConfig, SASLOptions, logLevel } from 'kafkajs';
import type { ResolvedKafkaOptions } from './kafka-bus-options.js';
import { guardIdleTimers } from './idle-timer-guard.js';

/** kafkajs notices new partitions and moved leaders by itself only this often. Its default of five minutes skips records. */
export const METADATA_MAX_AGE_MS = 30_000;

/** Only errors are looked at: what kafkajs logs otherwise, it also recovers from. */
const ERRORS_ONLY = 1 as logLevel.ERROR;

export interface KafkaClients {
  /**
   * Each producer, admin and consumer gets a client of its own: consumers of one client share their group's positions, and
   * two members of a group would delete each other's.
   */
  newClient(): Kafka;
  readonly protocol: typeof AssignerProtocol;
}

/** Loads kafkajs and makes its clients with settings that hold for all of them. */
export async function loadKafkaClients(options: ResolvedKafkaOptions): Promise<KafkaClients> {
  // Loaded here, so that an installation on the embedded bus does not pay for it.
  const { default: kafkajs } = await import('kafkajs');
  await guardIdleTimers();
  return { newClient: () => new kafkajs.Kafka(clientConfig(options)), protocol: kafkajs.AssignerProtocol };
}

function clientConfig(options: ResolvedKafkaOptions): KafkaConfig {
  const { brokers, clientId, sasl, tls } = options;
  return {
    clientId,
    brokers: [...brokers],
    connectionTimeout: 5_000,
    authenticationTimeout: 10_000,
    requestTimeout: 15_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 6 },
    logLevel: ERRORS_ONLY,
    logCreator: () => (entry) => reportLostPosition(entry.log, options.onError),
    ...(tls ? { ssl: tls } : {}),
    ...(sasl ? { sasl: { ...sasl } as SASLOptions } : {}),
  };
}

/** kafkajs tells only its log when a group's position is gone, which means that records expired before they were read. */
function reportLostPosition(log: Readonly<Record<string, unknown>>, onError: (error: unknown) => void): void {
  if (!String(log.message).startsWith('Offset out of range')) return;
  const [topic, partition, group] = [String(log.topic), Number(log.partition), String(log.groupId)];
  const what = `Records of ${topic}/${partition} expired before group ${group} read them; it goes on at the oldest one left.`;
  onError(new RagmeshError('EVENT.EXPIRED', what, { topic, partition, group }));
}
