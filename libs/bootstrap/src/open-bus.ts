import { topicSpecs, type ServiceName } from '@ragmesh/contracts';
import { isRagmeshError } from '@ragmesh/errors';
import { EmbeddedBusDriver, KafkaBusDriver, type BusDriver } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { kafkaOptions } from './kafka.config.js';
import { PatientBus } from './patient-bus.js';
import type { ProcessConfig } from './process.config.js';
import { busDatabaseUrl } from './service-addresses.js';
import { databaseServerUrl } from './tls.config.js';

/** Brokers that are there are connected by then, also on a busy machine; without them a start takes this much longer. */
const BROKERS_WITHIN_MS = 3_000;

/**
 * The bus of the mesh: Kafka where there are brokers, else tables that all processes share, whose topics exist afterwards.
 * Brokers may come later, until `ending`.
 */
export async function openBus(
  self: ServiceName,
  config: ProcessConfig,
  logger: Logger,
  ending: AbortSignal,
): Promise<BusDriver> {
  const onError = (error: unknown): void => logger.warn({ err: error }, toldOf(error));
  const kafka = kafkaOptions(`ragmesh-${self}`, config);
  if (kafka) {
    const options = { ...kafka, sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT * 1000, onError };
    const connect = () => withTopics(KafkaBusDriver.connect(options));
    return PatientBus.open({ connect, onError, ending }, BROKERS_WITHIN_MS);
  }
  const databaseUrl = busDatabaseUrl(databaseServerUrl(config));
  return withTopics(EmbeddedBusDriver.connect({ databaseUrl, topicPrefix: config.RAGMESH_TOPIC_PREFIX, onError }));
}

async function withTopics(connecting: Promise<BusDriver>): Promise<BusDriver> {
  const bus = await connecting;
  try {
    await bus.provision(topicSpecs);
    return bus;
  } catch (error) {
    await bus.close();
    throw error;
  }
}

/** What does not pass by itself, such as topics that are set up otherwise, is somebody's to mend. */
const toldOf = (error: unknown): string =>
  isRagmeshError(error) && error.retry === 'permanent' ? 'The bus is not as it should be' : 'The bus will try again';
