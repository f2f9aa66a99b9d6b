import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { freshGroup, freshTopic } from '../../testing/src/bus-conformance/bus-fixture.js';
import { join, numbered } from '../../testing/src/bus-conformance/recording-sink.js';
import { describeWithServer } from '../../testing/src/required-server.js';
import { KafkaBusDriver } from '../src/kafka/kafka-bus-driver.js';
import { KafkaSpecServer } from './kafka-spec-server.js';

const credentials = { username: 'ragmesh', password: 'a-secret-of-the-spec' };

describeWithServer('kafka', 'the Kafka driver with SASL/PLAIN', () => {
  let server: KafkaSpecServer;
  const connect = (password: string) =>
    KafkaBusDriver.connect({
      brokers: server.kafka.saslBrokers,
      clientId: 'sasl-spec',
      sasl: { mechanism: 'plain', username: credentials.username, password },
    });

  beforeAll(async () => {
    server = await KafkaSpecServer.start({ sasl: credentials });
  });
  afterAll(() => server.stop());

  it('publishes and consumes as an authenticated user', async () => {
    const driver = await connect(credentials.password);
    const topic = await freshTopic(driver, 2);
    await driver.publish(numbered(topic, 10, 2));
    const { sink } = await join(driver, topic, freshGroup());
    await eventually('the records arrive', () => sink.records.length === 10);
    await driver.close();
  });

  it('says that the credentials are refused, without showing them', async () => {
    const refused = connect('wrong-secret');
    await expect(refused).rejects.toMatchObject({ code: 'CONFIG.INVALID' });
    await expect(refused).rejects.not.toThrow(/wrong-secret/);
  });

  it('does not get in without credentials', async () => {
    const anonymous = KafkaBusDriver.connect({ brokers: server.kafka.saslBrokers, clientId: 'sasl-spec' });
    await expect(anonymous).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
  });
});
