import { afterAll, beforeAll, describe } from '@jest/globals';
import { busConformance } from '../../testing/src/bus-conformance/bus-conformance.js';
import { describeWithServer } from '../../testing/src/required-server.js';
import { createDriver } from './kafka-driver.js';
import { KafkaSpecServer } from './kafka-spec-server.js';

const given = process.env.KAFKA_BROKERS?.split(',');
const driverModule = new URL('./kafka-driver.ts', import.meta.url).href;
const configOf = (brokers: readonly string[], sessionTimeoutMs: number) => ({
  brokers,
  clientId: 'conformance',
  topicPrefix: 'spec.',
  sessionTimeoutMs,
});

if (given) {
  // A cluster that belongs to somebody: its brokers are not killed, and it may not allow short sessions.
  describe(`the Kafka driver on ${given.join(',')}`, () => {
    const config = () => configOf(given, 6_000);
    busConformance('the Kafka bus', {
      createDriver: () => createDriver(config()),
      driverModule,
      driverConfig: config,
      takeoverMs: 25_000,
      oversizedBytes: 1_100_000,
    });
  });
} else {
  describeWithServer('kafka', 'the Kafka driver on a real broker', () => {
    let server: KafkaSpecServer;
    const config = () => configOf(server.kafka.brokers, 3_000);

    beforeAll(async () => {
      server = await KafkaSpecServer.start();
    }, 120_000);
    afterAll(() => server.stop());

    busConformance('the Kafka bus', {
      createDriver: () => createDriver(config()),
      driverModule,
      driverConfig: config,
      takeoverMs: 15_000,
      oversizedBytes: 1_100_000,
      async restartBroker() {
        const [broker] = server.kafka.nodes;
        await broker!.kill();
        await broker!.start();
      },
    });
  });
}
