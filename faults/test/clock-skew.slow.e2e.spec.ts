import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { Database, createPool } from '@ragmesh/postgres';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { CopiedMesh } from './copied-mesh.js';

const PRELOAD = pathToFileURL(fileURLToPath(new URL('./skewed-clock.mjs', import.meta.url))).href;

/** Minutes by which the clock of a service is wrong, as JavaScript sees it; the database keeps its own. */
const MINUTES: Partial<Record<ServiceName, string>> = {
  document: '10',
  embedding: '-10',
  vector: '10,-10', // it jumps back while it works
  gateway: '-10',
};

function skewed(): void {
  let mesh: CopiedMesh;
  let log: () => string;
  let beganAt: number;
  beforeAll(async () => {
    beganAt = Date.now();
    mesh = await CopiedMesh.start({ kafka: true, copies: 1 });
    for (const service of serviceNames.toSorted((a, b) => Number(a === 'gateway') - Number(b === 'gateway'))) {
      const minutes = MINUTES[service];
      const clock = minutes ? { NODE_OPTIONS: `--import ${PRELOAD}`, SPEC_CLOCK_MINUTES: minutes } : {};
      const copy = await mesh.start(service, 0, clock as Record<string, string>);
      if (service === 'document') log = () => copy.said;
    }
  }, 240_000);
  afterAll(() => mesh?.close());

  /** The index, whose clock jumps, fails for a while: its events are tried again, and that is enough. */
  async function outlastsAFailure(id: string): Promise<void> {
    const index = new Database(createPool(mesh.servers.postgres.url('ragmesh_vector'), { max: 1 }));
    await index.query('ALTER TABLE point RENAME TO point_away');
    try {
      expect((await mesh.api.call('PUT', `/v1/documents/${id}`, { text: `What ${id} says.` })).status).toBe(202);
      const again = `SELECT FROM inbox WHERE handler_id = 'vector.index-chunks' AND attempt > 1`;
      await eventually('its chunks are tried again', async () => (await index.query(again)).rowCount > 0);
    } finally {
      await index.query('ALTER TABLE point_away RENAME TO point');
      await index.close();
    }
    expect((await mesh.api.terminal(id)).status).toBe('ready');
  }

  it('delay nothing, repeat nothing and lose nothing: uploads, updates, deletions and a retry', async () => {
    const { api } = mesh;
    const { time } = JSON.parse(log().split('\n', 1)[0]!) as { time: string };
    expect(Date.parse(time) - beganAt).toBeGreaterThan(5 * 60_000);
    const ids = Array.from({ length: 10 }, (_, number) => `skewed-${number}`);
    for (const words of ['first', 'second']) {
      for (const id of ids) {
        const body = { text: `The ${words} words of ${id}. `.repeat(60) };
        expect((await api.call('PUT', `/v1/documents/${id}`, body)).status).toBe(202);
      }
      for (const id of ids) expect((await api.terminal(id)).status).toBe('ready');
    }
    await api.call('PUT', '/v1/documents/empty', { text: ' \n ' });
    expect((await api.terminal('empty')).status).toBe('failed');
    expect((await api.call('DELETE', `/v1/documents/${ids[0]}`)).status).toBe(202);
    const found = await api.call('POST', '/v1/search', { query: 'second words', top_k: 50 });
    expect(found.status).toBe(200);
    await outlastsAFailure('ripe');
    expect(await mesh.servers.oracle.violations()).toEqual([]);
    const { body } = await api.call('GET', '/v1/admin/sagas?overdue=true');
    expect(body['data']).toEqual([]);
  }, 240_000);
}

describeWithServer('kafka', 'clocks that are wrong by ten minutes, over Kafka', skewed);
