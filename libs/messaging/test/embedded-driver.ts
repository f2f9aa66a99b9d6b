import { EmbeddedBusDriver } from '../src/embedded/embedded-bus-driver.js';
import type { EmbeddedBusOptions } from '../src/embedded/embedded-bus-options.js';

/** Entry of the conformance suite's member processes. */
export const createDriver = (config: EmbeddedBusOptions): Promise<EmbeddedBusDriver> =>
  EmbeddedBusDriver.connect(config);
