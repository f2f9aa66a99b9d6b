import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { createLogger } from '@ragmesh/observability';
import { Database, createPool } from '@ragmesh/postgres';
import { SilentServer } from '@ragmesh/testing';
import { generationConfig } from '../generation.config.js';
import { UsageLedger } from './usage-ledger.js';
import { UsageRepository } from './usage.repository.js';

describe('the ledger of usage while its database takes connections and says nothing', () => {
  let server: SilentServer;
  let database: Database;
  beforeEach(async () => {
    server = await SilentServer.start();
    database = new Database(createPool(`postgres://x@127.0.0.1:${server.port}/x`, { longestSilenceMs: 200 }));
  });
  afterEach(async () => {
    await server.stop();
    await database.close();
  });

  it('lets all who ask for it wait for the attempt that runs and for one more, not each for one of its own', async () => {
    const config = loadConfig(generationConfig, {});
    const ledger = new UsageLedger(new UsageRepository(database), config, createLogger('generation', 'silent'));
    ledger.charge('acme', 'a-model', { promptTokens: 1, completionTokens: 1 });
    await Promise.all(Array.from({ length: 20 }, () => ledger.flush()));
    expect(server.connections).toBeGreaterThan(0);
    expect(server.connections).toBeLessThanOrEqual(2);
  });
});
