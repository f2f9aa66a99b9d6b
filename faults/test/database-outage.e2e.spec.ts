import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serviceNames } from '@ragmesh/contracts';
import { Database, createPool } from '@ragmesh/postgres';
import { describeWithServer } from '@ragmesh/testing';
import { newDataDir, removeDataDir, startMesh, type Mesh } from '../../services/standalone/test/mesh-fixture.js';
import { allReady, mayBe, uploadDuring } from './database-outage.js';
import { startEightOnServers, type EightOnServers } from './eight-on-servers.js';
import { violationsAfterCollection } from './kept-promises.js';

/** The server of one of its sessions. */
const parentOf = (pid: number): number => Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

describe('a database that dies under one process', () => {
  let dataDir: string;
  let mesh: Mesh;
  beforeAll(async () => {
    dataDir = await newDataDir();
    mesh = await startMesh(dataDir);
  });
  afterAll(async () => {
    await mesh.close();
    await removeDataDir(dataDir);
  });

  it('means 503 until it is back, and nothing lost', async () => {
    const database = mesh.drivers.openDatabase('document');
    const { rows } = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const server = parentOf(rows[0]!.pid);
    await database.close();
    const kill = async (): Promise<void> => void process.kill(server, 'SIGKILL');
    const { accepted, odd } = await uploadDuring(mesh.api, 'standalone', kill);
    expect(odd).toEqual([]);
    await allReady(mesh.api, accepted);
    expect(await violationsAfterCollection(mesh.oracle)).toEqual([]);
  }, 300_000);
});

function databaseUnderEight(): void {
  let eight: EightOnServers;
  beforeAll(async () => void (eight = await startEightOnServers({ kafka: true })), 240_000);
  afterAll(() => eight?.close());
  const pids = () => serviceNames.map((name) => eight.mesh.supervisor.service(name).pid);

  it.each<[string, (eight: EightOnServers) => Promise<void>]>([
    ['killed and started again', async ({ servers }) => void process.kill(servers.postgres.pid, 'SIGKILL')],
    ['cut off in the middle of everything', async ({ servers }) => servers.postgresLine.cut()],
    [
      'silent for a while',
      async ({ servers }) => {
        await servers.postgresLine.set({ blackHole: true });
        await new Promise((resolve) => setTimeout(resolve, 4_000));
        await servers.postgresLine.clear();
      },
    ],
  ])(
    'that is %s means 503 for seconds; all recover by themselves and nothing is lost',
    async (fault, harm) => {
      const before = pids();
      const { accepted, odd } = await uploadDuring(eight.api, fault.replaceAll(' ', '-'), () => harm(eight));
      expect(odd).toEqual([]);
      await allReady(eight.api, accepted);
      expect(await violationsAfterCollection(eight.oracle)).toEqual([]);
      expect(pids()).toEqual(before);
    },
    300_000,
  );
}

describeWithServer('kafka', 'a database that fails eight processes, over Kafka', databaseUnderEight);

describe('a pool of two connections under fifty clients', () => {
  let eight: EightOnServers;
  beforeAll(async () => void (eight = await startEightOnServers({ settings: { MAX_CONNECTIONS: '2' } })), 240_000);
  afterAll(() => eight?.close());

  it('ends nothing in a deadlock: each is accepted or told to come again, and every promise is kept', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, client) => eight.api.upload({ text: `Words of client ${client}. `.repeat(50) })),
    );
    expect(answers.filter((answer) => !mayBe(answer) && answer.status !== 429)).toEqual([]);
    const accepted = answers.filter(({ status }) => status === 202).map(({ body }) => String(body['id']));
    expect(accepted.length).toBeGreaterThan(0);
    await allReady(eight.api, accepted);
    expect(await violationsAfterCollection(eight.oracle)).toEqual([]);
    const database = new Database(createPool(eight.servers.postgres.url('ragmesh_document'), { max: 1 }));
    const { rows } = await database.query<{ used: number }>(
      `SELECT count(*) AS used FROM pg_stat_activity WHERE application_name = 'ragmesh-document'`,
    );
    await database.close();
    expect(rows[0]!.used).toBeLessThanOrEqual(2);
  }, 240_000);
});
