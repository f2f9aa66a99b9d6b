import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithServer } from '@ragmesh/testing';
import { KafkaServer, PgvectorPostgres } from '../src/index.js';

const SECRET = 'RAGMESH_SPEC_SECRET';

/** What a process was given when it was started (Linux). */
const environmentOf = (pid: number): string => readFileSync(`/proc/${pid}/environ`, 'utf8');

describeWithServer(['kafka', 'pgvector'], 'a server that ragmesh starts', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-environment-'));
    process.env[SECRET] = 'planted';
  });
  afterEach(async () => {
    delete process.env[SECRET];
    await rm(dataDir, { recursive: true, force: true });
  });

  it.each([
    ['Kafka', () => KafkaServer.start({ dataDir }), ({ nodes }: KafkaServer) => nodes[0]!.pid],
    ['PostgreSQL', () => PgvectorPostgres.start({ dataDir }), ({ pid }: PgvectorPostgres) => pid],
  ] as [string, () => Promise<{ stop(): Promise<void> }>, (server: never) => number][])(
    'gets none of the secrets in the environment: %s',
    async (_name, start, pidOf) => {
      const server = await start();
      const environment = environmentOf(pidOf(server as never));
      await server.stop();
      expect(environment).not.toContain(SECRET);
    },
  );
});
