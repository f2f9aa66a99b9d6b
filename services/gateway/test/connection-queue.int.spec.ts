import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Worker } from 'node:worker_threads';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';

const CLIENTS = 1_000;
const WITHIN_MS = 60_000;

/** Counts in shared memory, because the thread that serves hears nothing while it is busy. */
const CONNECT = `
  const { connect } = require('node:net');
  const { workerData: { url, clients, connected } } = require('node:worker_threads');
  const { hostname, port } = new URL(url);
  for (let client = 0; client < clients; client += 1)
    connect(Number(port), hostname, () => {
      Atomics.add(connected, 0, 1);
      Atomics.notify(connected, 0);
    }).on('error', () => undefined);`;

let edge: EdgeAlone;
beforeAll(async () => void (edge = await startEdgeAlone({})));
afterAll(() => edge.close());

describe('a server whose thread is busy', () => {
  it('keeps a thousand new connections waiting instead of dropping them', async () => {
    const connected = new Int32Array(new SharedArrayBuffer(4));
    const clients = new Worker(CONNECT, { eval: true, workerData: { url: edge.url, clients: CLIENTS, connected } });
    try {
      for (const deadline = Date.now() + WITHIN_MS; connected[0]! < CLIENTS && Date.now() < deadline;)
        Atomics.wait(connected, 0, connected[0]!, 1_000);
      expect(connected[0]).toBe(CLIENTS);
    } finally {
      await clients.terminate();
    }
  });
});
