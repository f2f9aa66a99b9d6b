import { afterAll, beforeAll } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { busConformance } from '../../testing/src/bus-conformance/bus-conformance.js';
import { createDriver } from './embedded-driver.js';
import { SpecServer } from './embedded-server.js';

let server: SpecServer;
const config = (leaseMs = 2_000) => ({ databaseUrl: server.busUrl, leaseMs });

beforeAll(async () => {
  server = await SpecServer.start();
});

afterAll(async () => {
  await server.stop();
});

busConformance('the embedded bus', {
  createDriver: (leaseMs) => createDriver(config(leaseMs)),
  driverModule: new URL('./embedded-driver.ts', import.meta.url).href,
  driverConfig: config,
  patientLeaseMs: 10_000,
  takeoverMs: 16_000,
  oversizedBytes: 1_048_570,
  async restartBroker() {
    const before = server.postgres.pid;
    process.kill(before, 'SIGKILL');
    await eventually('the server is started again', () => server.postgres.pid !== before);
  },
});
