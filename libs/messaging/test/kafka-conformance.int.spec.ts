import { afterAll, beforeAll, describe } from '@jest/globals';
import { busConformance } from '../../testing/src/bus-conformance/bus-conformance.js';
import { describeWithServer } from '../../testing/src/required-server.js';
import { createDriver } from './kafka-driver.js';
import { KafkaSpecServer } from './kafka-spec-server.js';

const given = process.env.KAFKA_BROKERS?.split(',');
const PATIENT_MS = 30_000;
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
    const config = (leaseMs = 6_000) => configOf(given, leaseMs);
    busConformance('the Kafka bus', {
      createDriver: (leaseMs) => createDriver(config(leaseMs)),
      driverModule,
      driverConfig: config,
      patientLeaseMs: PATIENT_MS,
      takeoverMs: 50_000,
      oversizedBytes: 1_048_570,
    });
  });
} else {
  describeWithServer('kafka', 'the Kafka driver on a real broker', () => {
    let server: KafkaSpecServer;
    const config = (leaseMs = 3_000) => configOf(server.kafka.brokers, leaseMs);

    beforeAll(async () => {
      server = await KafkaSpecServer.start();
    });
    afterAll(() => server.stop());

    busConformance('the Kafka bus', {
      createDriver: (leaseMs) => createDriver(config(leaseMs)),
      driverModule,
      driverConfig: config,
      patientLeaseMs: PATIENT_MS,
      takeoverMs: 30_000,
      oversizedBytes: 1_048_570,
      async restartBroker() {
        const [broker] = server.kafka.nodes;
        await broker!.kill();
        await broker!.start();
      },
    });
  });
}
