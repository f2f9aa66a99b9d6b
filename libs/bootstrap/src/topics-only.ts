import { loadConfig, type Environment } from '@ragmesh/config';
import { topicSpecs } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { KafkaBusDriver } from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { checkConfiguration } from './check-configuration.js';
import { kafkaOptions } from './kafka.config.js';
import { meshVariables } from './mesh-variables.js';
import { processConfig } from './process.config.js';
import type { AnyServiceDefinition } from './service-definition.js';

/** Asks a service's program for {@link topicsOnly}. */
export const TOPICS_ONLY = '--topics-only';

/**
 * Makes all topics of the mesh as the catalogue says, with the login of this process, and nothing else: a deployment may have it done
 * before the first new process runs, which then needs no right to create or change any. Nothing is taken away, and more partitions
 * than wanted stay, because they do no harm. Without brokers there is nothing to do: the tables of the bus are no topics of a cluster.
 * @throws RagmeshError DEPENDENCY.* or what the brokers refuse; whoever runs it tries again.
 */
export async function topicsOnly(definition: AnyServiceDefinition, environment: Environment): Promise<void> {
  checkConfiguration([processConfig], environment, [definition.config, meshVariables]);
  const config = loadConfig(processConfig, environment);
  const logger = createLogger(definition.name, config.LOG_LEVEL);
  const options = kafkaOptions('ragmesh-topics', config);
  if (!options) return logger.info('There are no brokers and so no topics to make');
  const driver = await KafkaBusDriver.connect(options);
  try {
    const before = await driver.topics.apply(topicSpecs);
    const after = await driver.topics.diff(topicSpecs);
    const left = after.filter(({ repairable }) => repairable);
    if (left.length > 0) {
      const names = [...new Set(left.map(({ topic }) => topic))].join(', ');
      throw new RagmeshError('DEPENDENCY.UNAVAILABLE', `Kafka did not change these topics in time: ${names}.`);
    }
    logger.info({ topics: topicSpecs.length, repaired: before.length - after.length }, 'The topics are up to date');
  } finally {
    await driver.close();
  }
}
