import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { Database, createPool } from '@ragmesh/postgres';
import { AuditTrail } from './audit-trail.js';
import { AuditRepository } from './audit.repository.js';

const outcome = { id: '01890000-0000-7000-8000-000000000000', tenant: 't', status: 200, code: null, made: [] };

describe('the audit trail while its database takes connections and says nothing', () => {
  let server: Server;
  let connections: Set<Socket>;
  let database: Database;

  beforeEach(async () => {
    connections = new Set();
    server = createServer((socket) => void connections.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    database = new Database(createPool(`postgres://x@127.0.0.1:${port}/x`, { longestSilenceMs: 200 }));
  });
  afterEach(async () => {
    for (const socket of connections) socket.destroy();
    await database.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('lets all who ask for it wait for the attempt that runs and for one more, not each for one of its own', async () => {
    const trail = new AuditTrail(new AuditRepository(database), createLogger('gateway', 'silent'));
    trail.noteOutcome(outcome);
    await Promise.all(Array.from({ length: 20 }, () => trail.flush()));
    expect(connections.size).toBeGreaterThan(0);
    expect(connections.size).toBeLessThanOrEqual(2);
  });
});
