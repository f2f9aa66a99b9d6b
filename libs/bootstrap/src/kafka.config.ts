import {
  bool,
  int,
  oneOf,
  readTlsFiles,
  secret,
  string,
  tlsFileVariables,
  type ConfigDefinition,
  type ConfigOf,
} from '@ragmesh/config';
import { RagmeshError } from '@ragmesh/errors';
import type { KafkaBusOptions, KafkaSasl } from '@ragmesh/messaging';

/** What a process, a service or a tool, reads to reach the brokers. */
export const kafkaVariables = {
  RAGMESH_TOPIC_PREFIX: string().default('').describe('Put in front of every topic name'),
  KAFKA_BROKERS: string({
    matches: /^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/,
    expected: 'a list such as kafka-1:9092,kafka-2:9092',
  })
    .optional()
    .describe('Kafka brokers; without them events run over the database `ragmesh_bus` of the PostgreSQL server'),
  KAFKA_SASL_MECHANISM: oneOf('plain', 'scram-sha-256', 'scram-sha-512')
    .optional()
    .describe('How to log in to the brokers; not at all without it'),
  KAFKA_SASL_USERNAME: string().optional().describe('User of that login'),
  KAFKA_SASL_PASSWORD: secret().optional().describe('Password of that login'),
  KAFKA_REPLICATION_FACTOR: int({ min: 1, max: 32_767 })
    .optional()
    .describe(
      'Copies of each topic that is created, and fewest wanted of those there are; as many as there are brokers, up to 3, unless set',
    ),
  KAFKA_TLS: bool().default(false).describe('Speak TLS to the brokers'),
  ...tlsFileVariables('KAFKA', 'the brokers'),
} as const;

export type KafkaConfig = ConfigOf<ConfigDefinition<typeof kafkaVariables>>;

/**
 * How a process reaches the brokers; undefined where there are none.
 * @throws RagmeshError CONFIG.INVALID for files that cannot be used, and for a login that lacks a part.
 */
export function kafkaOptions(clientId: string, config: KafkaConfig): KafkaBusOptions | undefined {
  const { KAFKA_BROKERS: brokers, RAGMESH_TOPIC_PREFIX: topicPrefix, KAFKA_REPLICATION_FACTOR: copies } = config;
  if (!brokers) return undefined;
  const sasl = saslOf(config);
  const tls = config.KAFKA_TLS && (readTlsFiles(config, 'KAFKA') ?? true);
  const replication = copies === undefined ? {} : { replicationFactor: copies };
  return { brokers: brokers.split(','), clientId, topicPrefix, tls, ...replication, ...(sasl ? { sasl } : {}) };
}

/** What is said of a login that lacks a part. */
export const SASL_INCOMPLETE = 'KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD';

function saslOf(config: KafkaConfig): KafkaSasl | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  if (!mechanism) return undefined;
  if (!username || !password) throw new RagmeshError('CONFIG.INVALID', `${SASL_INCOMPLETE}.`);
  return { mechanism, username, password };
}
