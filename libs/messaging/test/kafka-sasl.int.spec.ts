import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { freshGroup, freshTopic } from '../../testing/src/bus-conformance/bus-fixture.js';
import { join, numbered } from '../../testing/src/bus-conformance/recording-sink.js';
import { describeWithServer } from '../../testing/src/required-server.js';
import { KafkaBusDriver } from '../src/kafka/kafka-bus-driver.js';
import { KafkaSpecServer } from './kafka-spec-server.js';
import { runTopics } from './run-program.js';

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

  it('logs in as the environment of a program says, or says in one sentence that it cannot', async () => {
    const run = (password: string) =>
      runTopics('diff', {
        KAFKA_BROKERS: server.kafka.saslBrokers.join(','),
        KAFKA_SASL_MECHANISM: 'plain',
        KAFKA_SASL_USERNAME: credentials.username,
        KAFKA_SASL_PASSWORD: password,
      });
    const [right, wrong] = await Promise.all([run(credentials.password), run('wrong-secret')]);
    expect(right).toMatchObject({ code: 1, output: expect.stringMatching(/document\.created +topic +missing/) });
    expect(wrong).toMatchObject({
      code: 2,
      output: expect.stringMatching(
        /^Kafka refuses connecting to .+; check KAFKA_SASL_\* and the access rules of this client\.\n$/,
      ),
    });
    expect(wrong.output).not.toContain('wrong-secret');
  });

  it('does not get in without credentials', async () => {
    const anonymous = KafkaBusDriver.connect({ brokers: server.kafka.saslBrokers, clientId: 'sasl-spec' });
    await expect(anonymous).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
  });
});
