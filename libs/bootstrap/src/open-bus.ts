import { topicSpecs, type ServiceName } from '@ragmesh/contracts';
import { EmbeddedBusDriver, KafkaBusDriver, type BusDriver, type KafkaSasl } from '@ragmesh/messaging';
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
  const { KAFKA_BROKERS: brokers, RAGMESH_TOPIC_PREFIX: topicPrefix } = config;
  if (!brokers) {
    const databaseUrl = busDatabaseUrl(databaseServerUrl(config));
    return EmbeddedBusDriver.connect({ databaseUrl, topicPrefix, onError });
  }
  const sasl = saslOf(config);
  const clientId = `ragmesh-${self}`;
  return KafkaBusDriver.connect({
    brokers: brokers.split(','),
    clientId,
    topicPrefix,
    tls: kafkaTls(config),
    sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT * 1000,
    ...(sasl ? { sasl } : {}),
    onError,
  });
}

type SaslConfig = Pick<ProcessConfig, 'KAFKA_SASL_MECHANISM' | 'KAFKA_SASL_USERNAME' | 'KAFKA_SASL_PASSWORD'>;

/** How to log in to the brokers; undefined where nobody asks. */
export function saslOf(config: SaslConfig): KafkaSasl | undefined {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  return mechanism && username && password ? { mechanism, username, password } : undefined;
}
