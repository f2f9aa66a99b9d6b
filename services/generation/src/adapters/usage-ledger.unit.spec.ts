import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { createLogger } from '@ragmesh/observability';
import { SilentDatabase } from '@ragmesh/testing';
import { generationConfig } from '../generation.config.js';
import { UsageLedger } from './usage-ledger.js';
import { UsageRepository } from './usage.repository.js';

describe('the ledger of usage while its database takes connections and says nothing', () => {
  let silent: SilentDatabase;
  beforeEach(async () => {
    silent = await SilentDatabase.start();
  });
  afterEach(() => silent.stop());

  it('lets all who ask for it wait for the attempt that runs and for one more, not each for one of its own', async () => {
    const config = loadConfig(generationConfig, {});
    const ledger = new UsageLedger(new UsageRepository(silent.database), config, createLogger('generation', 'silent'));
    ledger.charge('acme', 'a-model', { promptTokens: 1, completionTokens: 1 });
    await Promise.all(Array.from({ length: 20 }, () => ledger.flush()));
    expect(silent.connections).toBeGreaterThan(0);
    expect(silent.connections).toBeLessThanOrEqual(2);
  });
});
