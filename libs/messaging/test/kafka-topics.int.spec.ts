import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { topicSpecs } from '@ragmesh/contracts';
import { eventually } from '@ragmesh/testing';
import kafkajs, { type Admin } from 'kafkajs';
import { describeWithServer } from '../../testing/src/required-server.js';
import { KafkaSpecServer } from './kafka-spec-server.js';
import { runProgram, runTopics } from './run-program.js';

describeWithServer('kafka', 'npm run topics', () => {
  let server: KafkaSpecServer;
  let admin: Admin;
  const run = (command: string, prefix: string) =>
    runTopics(command, { KAFKA_BROKERS: server.kafka.brokers.join(','), RAGMESH_TOPIC_PREFIX: prefix });

  beforeAll(async () => {
    server = await KafkaSpecServer.start();
    admin = new kafkajs.Kafka({ brokers: server.kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin.disconnect();
    await server.stop();
  });

  it('creates every topic of the catalogue, retry and dead-letter topics included, under the prefix', async () => {
    const before = await run('diff', 'one.');
    expect(before.code).toBe(1);
    expect(before.output).toContain('document.created');
    expect((await run('apply', 'one.')).code).toBe(0);
    const listed = (await admin.listTopics()).filter((name) => name.startsWith('one.'));
    expect(listed.sort()).toEqual(topicSpecs.map(({ name }) => `one.${name}`).sort());
    expect(listed).toEqual(
      expect.arrayContaining(['one.document.chunked.embedding.retry', 'one.document.chunked.embedding.dlt']),
    );
    expect(await run('diff', 'one.')).toMatchObject({ code: 0 });
  });

  it('repairs retention and partitions, keeps what else was set, and tells what it cannot repair', async () => {
    await run('apply', 'two.');
    const [changed, wide] = ['two.document.created', 'two.settings.changed'];
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: changed };
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          ...resource,
          configEntries: [
            { name: 'retention.ms', value: '1000' },
            { name: 'segment.ms', value: '123456' },
          ],
        },
      ],
    });
    await admin.createPartitions({ topicPartitions: [{ topic: wide, count: 4 }] });
    let output = '';
    await eventually('the broker has heard of both changes', async () => {
      const diff = await run('diff', 'two.');
      output = diff.output;
      return diff.code === 1 && output.includes('partitions') && output.includes('retention.ms');
    });
    expect(output).toMatch(/document\.created +retention\.ms +1000 +604800000 +apply/);
    expect(output).toMatch(/settings\.changed +partitions +4 +1 +by hand/);
    const applied = await run('apply', 'two.');
    expect(applied.code).toBe(1);
    expect(applied.output).toContain('1 left');
    await eventually(
      'nothing but the partitions differs',
      async () => !(await run('diff', 'two.')).output.includes('retention'),
    );
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] });
    const settings = new Map(
      resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
    expect([settings.get('retention.ms'), settings.get('segment.ms')]).toEqual(['604800000', '123456']);
  });

  it('leaves the same to a service that is started for that only, which repairs what its start would refuse', async () => {
    const service = {
      DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/',
      SERVICE_AUTH_KEY: 'k'.repeat(32),
      LOG_LEVEL: 'info',
    };
    const start = (env: object) =>
      runProgram(['services/document/src/main.ts', '--topics-only'], { ...service, ...env });
    const cluster = { KAFKA_BROKERS: server.kafka.brokers.join(','), RAGMESH_TOPIC_PREFIX: 'three.' };
    await admin.createTopics({ topics: [{ topic: 'three.document.created', numPartitions: 1 }] });
    expect(await start(cluster)).toMatchObject({
      code: 0,
      output: expect.stringContaining('The topics are up to date'),
    });
    expect(await run('diff', 'three.')).toMatchObject({ code: 0 });
    expect(await start({})).toMatchObject({ code: 0, output: expect.stringContaining('no brokers') });
  });

  it('says what is missing from its configuration', async () => {
    const { code, output } = await runTopics('diff', { KAFKA_BROKERS: 'nonsense' });
    expect(code).toBe(2);
    expect(output).toContain('KAFKA_BROKERS');
  });
});
