import { KafkaBusDriver } from '../src/kafka/kafka-bus-driver.js';
import type { KafkaBusOptions } from '../src/kafka/kafka-bus-options.js';

/** Entry of the conformance suite's member processes. */
export const createDriver = (config: KafkaBusOptions): Promise<KafkaBusDriver> => KafkaBusDriver.connect(config);
