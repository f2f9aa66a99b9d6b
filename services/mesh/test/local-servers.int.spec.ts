import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { loadConfig } from '@ragmesh/config';
import { KafkaBusDriver } from '@ragmesh/messaging';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { startServers, type Servers } from '../src/local-servers.js';
import { meshConfig } from '../src/mesh.config.js';
import { newDataDir, removeDataDir } from './data-dir.js';

const TOPIC = 'kept';
const DATABASE_URL = 'postgresql://nobody@127.0.0.1';
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
    const config = loadConfig(meshConfig, { RAGMESH_DATA_DIR: dataDir, DATABASE_URL });
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
    const broker = JSON.parse(readFileSync(join(dataDir, 'kafka', 'broker-1', 'pid'), 'utf8')) as { pid: number };
    process.kill(broker.pid, 'SIGKILL');
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

  /** As the next `npm run mesh` in this folder would. */
  async function startAgain(folder: string, settings: Record<string, string> = {}): Promise<string | undefined> {
    const config = loadConfig(meshConfig, { RAGMESH_DATA_DIR: folder, DATABASE_URL, ...settings });
    const again = await startServers(config, { say: (line) => said.push(line), onLost: () => undefined });
    await again.close();
    return new Map(again.described).get('Events');
  }

  it('is not replaced by tables when Java is gone, only by a setting, and then that is said', async () => {
    const { PATH } = process.env;
    process.env['PATH'] = dirname(process.execPath);
    const refusal = startAgain(dataDir).finally(() => (process.env['PATH'] = PATH));
    await expect(refusal).rejects.toThrow(/run over the Kafka in it.*Java 17.*npm run servers kafka/);
    expect(said).toEqual([]);
    expect(await startAgain(dataDir, { MESH_LOCAL_SERVERS: 'false' })).toMatch(/^tables/);
    expect(said).toEqual([expect.stringMatching(/over the Kafka in the data folder before .* stays unread/)]);
  });

  it('is not taken for a folder that was restored, and it is said that nothing is known of what it ran over', async () => {
    const folder = await newDataDir();
    mkdirSync(join(folder, 'postgres'));
    expect(await startAgain(folder)).toMatch(/^tables .*was restored .*for Kafka see .*Restore\.md/);
    expect(await startAgain(folder)).toMatch(/^tables .*as before/);
    await removeDataDir(folder);
  });

  it('is not taken in place of tables that events run over, nor of brokers that are no longer named', async () => {
    const folder = await newDataDir();
    said.length = 0;
    expect(await startAgain(folder, { MESH_LOCAL_SERVERS: 'false' })).toMatch(/^tables .*no Kafka/);
    expect(await startAgain(folder)).toMatch(/^tables .*as before/);
    expect(said).toEqual([]);
    expect(await startAgain(folder, { KAFKA_BROKERS: 'kafka:9092' })).toBe('Kafka at kafka:9092');
    expect(said).toEqual([expect.stringMatching(/over tables in PostgreSQL before .* stays unread/)]);
    await expect(startAgain(folder)).rejects.toThrow(/over kafka:9092: set KAFKA_BROKERS/);
    await removeDataDir(folder);
  });
});
