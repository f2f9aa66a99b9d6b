import { topicSpecs, type ServiceName } from '@ragmesh/contracts';
import {
  EmbeddedBusDriver,
  KafkaBusDriver,
  type BusDriver,
  type KafkaBusOptions,
  type KafkaSasl,
} from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import type { ProcessConfig } from './process.config.js';
import { busDatabaseUrl } from './service-addresses.js';
import { databaseServerUrl, kafkaTls } from './tls.config.js';

/** The bus of the mesh: Kafka where there are brokers, else tables that all processes share. Its topics exist afterwards. */
export async function openBus(self: ServiceName, config: ProcessConfig, logger: Logger): Promise<BusDriver> {
  const onError = (error: unknown): void => logger.warn({ err: error }, 'The bus will try again');
  const bus = await connect(self, config, onError);
  try {
    await bus.provision(topicSpecs);
    return bus;
  } catch (error) {
    await bus.close();
    throw error;
  }
}

function connect(self: ServiceName, config: ProcessConfig, onError: (error: unknown) => void): Promise<BusDriver> {
  const kafka = kafkaOptions(`ragmesh-${self}`, config);
  if (kafka) return KafkaBusDriver.connect({ ...kafka, onError });
  const databaseUrl = busDatabaseUrl(databaseServerUrl(config));
  return EmbeddedBusDriver.connect({ databaseUrl, topicPrefix: config.RAGMESH_TOPIC_PREFIX, onError });
}

/** How this process reaches the brokers; undefined where there are none. */
export function kafkaOptions(clientId: string, config: ProcessConfig): KafkaBusOptions | undefined {
  const { KAFKA_BROKERS: brokers, RAGMESH_TOPIC_PREFIX: topicPrefix, KAFKA_SESSION_TIMEOUT: sessionTimeout } = config;
  if (!brokers) return undefined;
  const sasl = saslOf(config);
  return {
    brokers: brokers.split(','),
    clientId,
    topicPrefix,
    tls: kafkaTls(config),
    sessionTimeoutMs: sessionTimeout * 1000,
    ...(sasl ? { sasl } : {}),
  };
}

type SaslConfig = Pick<ProcessConfig, 'KAFKA_SASL_MECHANISM' | 'KAFKA_SASL_USERNAME' | 'KAFKA_SASL_PASSWORD'>;

/** How to log in to the brokers; undefined where nobody asks. */
export function saslOf(config: SaslConfig): KafkaSasl | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  return mechanism && username && password ? { mechanism, username, password } : undefined;
}
