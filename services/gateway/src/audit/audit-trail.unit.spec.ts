import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { SilentDatabase } from '@ragmesh/testing';
import { AuditTrail } from './audit-trail.js';
import { AuditRepository } from './audit.repository.js';

const outcome = { id: '01890000-0000-7000-8000-000000000000', tenant: 't', status: 200, code: null, made: [] };

describe('the audit trail while its database takes connections and says nothing', () => {
  let silent: SilentDatabase;
  beforeEach(async () => {
    silent = await SilentDatabase.start();
  });
  afterEach(() => silent.stop());

  it('lets all who ask for it wait for the attempt that runs and for one more, not each for one of its own', async () => {
    const trail = new AuditTrail(new AuditRepository(silent.database), createLogger('gateway', 'silent'));
    trail.noteOutcome(outcome);
    await Promise.all(Array.from({ length: 20 }, () => trail.flush()));
    expect(silent.connections).toBeGreaterThan(0);
    expect(silent.connections).toBeLessThanOrEqual(2);
  });
});
