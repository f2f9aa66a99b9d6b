import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { loadConfig } from '@ragmesh/config';
import { KafkaBusDriver } from '@ragmesh/messaging';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { startServers, type Servers } from '../src/local-servers.js';
import { meshConfig } from '../src/mesh.config.js';
import { newDataDir, removeDataDir } from './data-dir.js';

const TOPIC = 'kept';
const RECORD = { topic: TOPIC, partition: 0, key: 'key', headers: {}, value: Buffer.from('value') };

let dataDir: string;
let servers: Servers;
let bus: KafkaBusDriver;
let redis: Redis;
const said: string[] = [];
const lost: unknown[] = [];

describeWithServer(['kafka', 'redis'], 'a server that `npm run mesh` started', () => {
  beforeAll(async () => {
    dataDir = await newDataDir();
    const config = loadConfig(meshConfig, { RAGMESH_DATA_DIR: dataDir, DATABASE_URL: 'postgresql://nobody@127.0.0.1' });
    servers = await startServers(config, { say: (line) => said.push(line), onLost: (error) => lost.push(error) });
    const brokers = servers.environment['KAFKA_BROKERS']!.split(',');
    bus = await KafkaBusDriver.connect({ brokers, clientId: 'spec' });
    redis = new Redis(servers.environment['REDIS_URL']!, { retryStrategy: () => 20 }).on('error', () => undefined);
  });
  afterAll(async () => {
    redis?.disconnect();
    await bus?.close();
    await servers?.close();
    await removeDataDir(dataDir);
  });

  const untilSaid = (sentence: RegExp): Promise<true> =>
    eventually(
      () => `${sentence} is said, only: ${said.join('\n')}`,
      () => said.some((line) => sentence.test(line)),
    );

  it('is back at its address after it was killed, Kafka with its records, and both is said', async () => {
    await bus.provision([{ name: TOPIC, partitions: 1, retentionHours: 1 }]);
    await bus.publish([RECORD]);
    const pidOfRedis = Number(/process_id:(\d+)/.exec(await redis.info('server'))![1]);
    process.kill(Number(readFileSync(join(dataDir, 'kafka', 'broker-1', 'pid'), 'utf8')), 'SIGKILL');
    process.kill(pidOfRedis, 'SIGKILL');
    await untilSaid(/^Redis ended \(SIGKILL\) and starts again in 100 ms$/);
    await untilSaid(/^Redis is back after/);
    await eventually('Redis answers', () => redis.ping().catch(() => undefined));
    await untilSaid(/^Kafka ended \(SIGKILL\) and starts again in 100 ms$/);
    await untilSaid(/^Kafka is back after/);
    const [next] = await eventually('Kafka takes a record', () => bus.publish([RECORD]).catch(() => undefined));
    expect(next).toEqual({ partition: 0, offset: 1 });
    expect(lost).toEqual([]);
  });

  it('stays down once the mesh is closed', async () => {
    said.length = 0;
    await servers.close();
    await expect(redis.ping()).rejects.toThrow();
    expect(said).toEqual([]);
  });
});
