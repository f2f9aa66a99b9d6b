import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue, flagCatalogue } from '@ragmesh/contracts';
import { embeddingService } from '@ragmesh/service-embedding';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { retrievalService } from '@ragmesh/service-retrieval';
import { vectorService } from '@ragmesh/service-vector';
import { eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { gatewayService } from '../src/gateway.service.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read as their shapes are asserted
type Body = Record<string, any>;

let mesh: ServiceMesh;
let folder: string;
let url: string;

async function call(method: string, path: string, body?: object, id = ''): Promise<{ status: number; body: Body }> {
  const headers = { ...(body ? { 'content-type': 'application/json' } : {}), ...(id ? { 'x-request-id': id } : {}) };
  const response = await fetch(`${url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  return { status: response.status, body: (await response.json()) as Body };
}

const set = (name: string, value: unknown, id?: string) => call('PUT', `/v1/admin/flags/${name}`, { value }, id);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-flags-'));
  mesh = await ServiceMesh.start(catalogue.settingsChanged.topic);
  const environment = { RAGMESH_DATA_DIR: folder, SERVER_PORT: '0', APP_EMBEDDINGS_BACKEND: 'mock' };
  for (const service of [knowledgeService, embeddingService, vectorService, retrievalService])
    await mesh.run(service, environment);
  url = (await mesh.run(gatewayService, environment)).url!;
});
afterAll(async () => {
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('settings that change at run time', () => {
  it('are listed with what they mean, set or not', async () => {
    const { status, body } = await call('GET', '/v1/admin/flags');
    expect(status).toBe(200);
    expect(body['data'].map(({ name }: Body) => name)).toEqual(Object.keys(flagCatalogue));
    expect(body['data'][0]).toMatchObject({ value: null, variable: 'LOG_LEVEL', changed_by: null, changed_at: null });
  });

  it('keep who changed them, when, from what to what, and for which request', async () => {
    expect((await set('search_alpha', 0.2, 'first-change')).status).toBe(200);
    expect((await set('search_alpha', 0.9, 'second-change')).body).toMatchObject({
      value: 0.9,
      changed_by: 'anonymous',
    });
    await set('search_alpha', null, 'third-change');
    const { body } = await call('GET', '/v1/admin/flags/search_alpha');
    expect(body['value']).toBeNull();
    expect(body['changes']).toMatchObject([
      { old_value: 0.9, new_value: null, request_id: 'third-change' },
      { old_value: 0.2, new_value: 0.9, request_id: 'second-change', changed_by: 'anonymous' },
      { old_value: null, new_value: 0.2, request_id: 'first-change' },
    ]);
    expect(Date.parse(body['changes'][0].changed_at)).toBeLessThanOrEqual(Date.now());
    await eventually('all three were told of', () => mesh.eventsOf(catalogue.settingsChanged).length === 3);
    const versions = mesh.eventsOf(catalogue.settingsChanged).map(({ payload }) => payload.version);
    expect(versions).toEqual(versions.toSorted((a, b) => Number(a - b)));
  });

  it('keep their history even from who can write to the table', async () => {
    const knowledge = mesh.database('knowledge');
    await knowledge.query(`UPDATE flag_change SET changed_by = 'nobody'`);
    await knowledge.query('DELETE FROM flag_change');
    const { rows } = await knowledge.query(`SELECT FROM flag_change WHERE changed_by = 'anonymous'`);
    expect(rows.length).toBeGreaterThanOrEqual(3);
  });

  it.each([
    ['rerank', 'yes', 'value'],
    ['search_alpha', 1.5, 'value'],
    ['log_level', 'loud', 'value'],
    ['log_level', undefined, 'value'],
    ['rerank', { deep: 1 }, 'value'],
  ])('are not changed to what they cannot be: %s = %j', async (name, value, field) => {
    const before = await call('GET', `/v1/admin/flags/${name}`);
    const { status, body } = await set(name, value);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'REQUEST.INVALID', field });
    expect(await call('GET', `/v1/admin/flags/${name}`)).toEqual(before);
  });

  it('answer 404 for a name that there is not', async () => {
    for (const answer of [await call('GET', '/v1/admin/flags/no_such'), await set('constructor', true)])
      expect(answer).toMatchObject({ status: 404, body: { code: 'FLAG.NOT_FOUND' } });
  });

  it('reach the service that reads them while it runs, and outlive a restart of their owner', async () => {
    const search = { query: 'anything', rerank: true };
    const isDegraded = async (): Promise<boolean> =>
      (await call('POST', '/v1/search', search)).body['degraded'].includes('rerank');
    expect(await isDegraded()).toBe(false);
    await set('rerank', false);
    await eventually('reranking is off', isDegraded);
    await mesh.halt('knowledge');
    expect(await isDegraded()).toBe(true);
    await mesh.run(knowledgeService, { RAGMESH_DATA_DIR: folder });
    await eventually('it is set again', async () => (await set('rerank', null)).status === 200);
    await eventually('the configuration decides again', async () => !(await isDegraded()));
  });
});
