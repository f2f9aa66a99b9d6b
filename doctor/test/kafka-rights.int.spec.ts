import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { topicSpecs } from '@ragmesh/contracts';
import { KafkaServer } from '@ragmesh/local-servers';
import { KafkaBusDriver } from '@ragmesh/messaging';
import { describeWithServer, eventually } from '@ragmesh/testing';
import kafkajs, { type Admin } from 'kafkajs';
import { found } from './situation-for.js';

const sasl = { username: 'limited', password: 'a-secret-of-the-spec' };
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;
const [first, ...others] = topicSpecs as [(typeof topicSpecs)[number], ...typeof topicSpecs];
/** Nobody but those without a name, who run the broker, may do what no rule allows. */
const AUTHORIZER = `
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
`;

describeWithServer('kafka', 'a login that may not do everything', () => {
  let folder: string;
  let kafka: KafkaServer;
  let admin: Admin;
  let limited: KafkaBusDriver;

  const allow = (operation: number) =>
    admin.createAcls({
      acl: [
        {
          ...{ resourceType: AclResourceTypes.TOPIC, resourceName: '*' },
          ...{ resourcePatternType: ResourcePatternTypes.LITERAL, principal: `User:${sasl.username}`, host: '*' },
          ...{ operation, permissionType: AclPermissionTypes.ALLOW },
        },
      ],
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-rights-'));
    kafka = await KafkaServer.start({ dataDir: folder, sasl });
    const [broker] = kafka.nodes;
    await broker!.kill();
    appendFileSync(join(folder, 'broker-1', 'server.properties'), AUTHORIZER);
    await broker!.start();
    admin = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    const owner = await KafkaBusDriver.connect({ brokers: kafka.brokers, clientId: 'owner' });
    await owner.provision([{ ...first, retentionHours: 1 }, ...others]);
    await owner.close();
    await allow(AclOperationTypes.DESCRIBE);
    const login = { mechanism: 'plain', ...sasl } as const;
    limited = await KafkaBusDriver.connect({ brokers: kafka.saslBrokers, clientId: 'limited', sasl: login });
    await eventually('the rule holds', () =>
      limited.topics.refresh().then(() => limited.topics.countOf(first.name) > 0),
    );
  });
  afterAll(async () => {
    await limited.close();
    await admin.disconnect();
    await kafka.kill();
    await rm(folder, { recursive: true, force: true });
  });

  it('is told which right it lacks, by everything that needs one', async () => {
    const missing = { name: 'not.there', partitions: 1, retentionHours: 24 };
    const refused = (doing: RegExp) => ({ code: 'CONFIG.INVALID', message: expect.stringMatching(doing) });
    await expect(limited.provision([missing])).rejects.toMatchObject(refused(/refuses creating topics: .*not auth/i));
    await expect(limited.topics.diff(topicSpecs)).rejects.toMatchObject(refused(/refuses reading the settings/));
    const environment = {
      ...{ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/', KAFKA_BROKERS: kafka.saslBrokers.join(',') },
      ...{ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: sasl.username, KAFKA_SASL_PASSWORD: sasl.password },
    };
    const what = expect.stringMatching(/cannot be compared with the catalogue.*[Nn]ot authorized/);
    expect(await found('kafka', environment)).toEqual([expect.objectContaining({ level: 'fault', what })]);

    await allow(AclOperationTypes.DESCRIBE_CONFIGS);
    await eventually('the rule holds', () =>
      limited.topics.diff(topicSpecs).then(
        ({ length }) => length === 1,
        () => false,
      ),
    );
    await expect(limited.topics.apply(topicSpecs)).rejects.toMatchObject(refused(/refuses setting up .*topic/));
    const wider = topicSpecs.map((spec) => ({ ...spec, partitions: spec.partitions + 1 }));
    await expect(limited.topics.apply(wider)).rejects.toMatchObject(refused(/refuses adding partitions/));
  });
});
