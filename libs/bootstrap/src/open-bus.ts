import { topicSpecs, type ServiceName } from '@ragmesh/contracts';
import { EmbeddedBusDriver, KafkaBusDriver, type BusDriver } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { kafkaOptions } from './kafka.config.js';
import type { ProcessConfig } from './process.config.js';
import { busDatabaseUrl } from './service-addresses.js';
import { databaseServerUrl } from './tls.config.js';

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
  const sessionTimeoutMs = config.KAFKA_SESSION_TIMEOUT * 1000;
  if (kafka) return KafkaBusDriver.connect({ ...kafka, sessionTimeoutMs, onError });
  const databaseUrl = busDatabaseUrl(databaseServerUrl(config));
  return EmbeddedBusDriver.connect({ databaseUrl, topicPrefix: config.RAGMESH_TOPIC_PREFIX, onError });
}
