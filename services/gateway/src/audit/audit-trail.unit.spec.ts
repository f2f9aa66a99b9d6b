import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { Database, createPool } from '@ragmesh/postgres';
import { SilentServer } from '@ragmesh/testing';
import { AuditTrail } from './audit-trail.js';
import { AuditRepository } from './audit.repository.js';

const outcome = { id: '01890000-0000-7000-8000-000000000000', tenant: 't', status: 200, code: null, made: [] };

describe('the audit trail while its database takes connections and says nothing', () => {
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
    const trail = new AuditTrail(new AuditRepository(database), createLogger('gateway', 'silent'));
    trail.noteOutcome(outcome);
    await Promise.all(Array.from({ length: 20 }, () => trail.flush()));
    expect(server.connections).toBeGreaterThan(0);
    expect(server.connections).toBeLessThanOrEqual(2);
  });
});
