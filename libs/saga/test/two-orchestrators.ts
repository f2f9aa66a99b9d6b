import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { outboxMigrations } from '@ragmesh/outbox';
import { EmbeddedPostgres, migrate } from '@ragmesh/postgres';
import { sagaMigrations } from '../src/index.js';
import { Orchestrator } from './orchestrator.js';

/** Gives each test of a suite two orchestrators over a database of its own. */
export function twoOrchestrators(use: (one: Orchestrator, two: Orchestrator) => void): void {
  let dataDir: string;
  let server: EmbeddedPostgres;
  let both: Orchestrator[] = [];
  let turn = 0;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-saga-'));
    server = await EmbeddedPostgres.start(dataDir);
  });
  afterAll(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const url = server.url(`ragmesh_saga_${(turn += 1)}`);
    await migrate(url, outboxMigrations, sagaMigrations);
    both = [new Orchestrator(url), new Orchestrator(url)];
    use(both[0]!, both[1]!);
  });
  afterEach(async () => {
    await Promise.all(both.map(({ timer }) => timer.stop()));
    await Promise.all(both.map(({ database }) => database.close()));
  });
}
