import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { describeKeyOwners } from './auth-key-owners.suite.js';
import { describeKeys } from './auth-keys.suite.js';
import { describeTokenQuotas } from './quota-tokens.suite.js';
import { tenantCases, type TenantCase } from './tenant-cases.js';
import { WorkRecorder } from './tenant-work.js';
import {
  WORD,
  furnish,
  startGuardedMesh,
  type Caller,
  type GuardedMesh,
  type Json,
  type Owned,
  type Reply,
} from './two-tenants.js';

let mesh: GuardedMesh;
let acme: Caller;
let bolt: Caller;
/** Makes things under names that acme uses, too; what bolt sees stays clear of them. */
let cork: Caller;
let owned: Owned;
let work: WorkRecorder;
beforeAll(async () => {
  work = new WorkRecorder();
  mesh = await startGuardedMesh({ SERVER_TRUSTED_PROXIES: '127.0.0.1' });
  const keyOf = (tenant: string) => mesh.makeKey({ name: tenant, tenant, roles: ['admin', 'operator'] });
  const [acmeKey, boltKey, corkKey] = await Promise.all(['acme', 'bolt', 'cork'].map(keyOf));
  acme = mesh.as(acmeKey!.key);
  bolt = mesh.as(boltKey!.key);
  cork = mesh.as(corkKey!.key);
  owned = await furnish(mesh, 'acme', acmeKey!);
});
afterAll(async () => {
  await mesh.close();
  work.restore();
});

describeKeys(() => mesh);
describeKeyOwners(() => mesh);
describeTokenQuotas(() => mesh);

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** An id like this one that nobody has. */
const missingLike = (id: string): string =>
  id
    .replaceAll(uuid, () => randomUUID())
    .replaceAll('acme', 'gone')
    .replace(/:\d+:(?=[a-z])/, ':987654:')
    .replace(/^[0-9a-f]{16}$/, '0123456789abcdef');

/** What may differ between any two answers, named and not shown. */
const steady = (text: string, id: string): string =>
  text
    .replaceAll(id, 'ID')
    .replaceAll(decodeURIComponent(id), 'ID')
    .replaceAll(uuid, 'UUID')
    .replaceAll(/"trace_id":"\w*"/g, '"trace_id":"…"')
    .replaceAll(/"(timings|took)":\{[^}]*\}/g, '"timings":{}')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/"cached":(true|false)/g, '"cached":…')
    .replaceAll(/"(latency_ms|created)":[\d.]+/g, '"$1":0');

/**
 * Where a text shows what only acme has: words of its documents, not digits that ids and times happen to have. A caller that
 * named things as acme does sees its own under those names.
 */
const traces = (text: string, kind?: string): string[] =>
  text
    .replaceAll(`${WORD} protocol pay?`, '')
    .match(
      kind?.startsWith('other') ? /.{0,60}(\b4711\b|zanzibar).{0,60}/gi : /.{0,60}(acme|\b4711\b|zanzibar).{0,60}/gi,
    ) ?? [];

async function check(method: string, { owned: kind, call }: TenantCase): Promise<void> {
  const caller = kind?.startsWith('other') ? cork : bolt;
  const ask = (id: string, requestId: string = randomUUID()): Promise<Reply> =>
    caller({ method, ...call(id) }, { 'x-request-id': requestId });
  if (kind === undefined) {
    const { text } = await ask('');
    if (method === 'GET' && call('').path === '/metrics') return; // of the whole mesh, for operators: cost is labelled by tenant
    expect(traces(text)).toEqual([]);
    return;
  }
  const id = owned[kind];
  const missing = missingLike(id);
  expect(missing).not.toBe(id);
  const seen = ({ status, headers, text }: Reply, of: string) => ({ status, headers, body: steady(text, of) });
  const compare = async () => {
    const [ofMissing, ofAcme] = [await ask(missing), await ask(id)];
    expect(traces(steady(ofAcme.text, id), kind)).toEqual([]); // a name that leaks once is a leak
    return { ofAcme: seen(ofAcme, id), ofMissing: seen(ofMissing, missing) };
  };
  // One of the two may be told that the machine is busy.
  const { ofAcme, ofMissing } = await withinAttempts(3, compare, (both) =>
    isDeepStrictEqual(both.ofAcme, both.ofMissing),
  );
  expect(ofAcme).toEqual(ofMissing);
  await expectSameWork(
    kind,
    (requestId) => ask(missing, requestId),
    (requestId) => ask(id, requestId),
  );
}

type Ask = (requestId: string) => Promise<Reply>;

/**
 * That both take the same time: the services ran the same statements with the same numbers of rows, made the same calls and read
 * as many blobs. By the second time nothing is done for the first time any more. Where an id is taken for something new, others
 * work on that beside the request, so only which statements were run is compared.
 */
async function expectSameWork(kind: keyof Owned, askMissing: Ask, askAcme: Ask): Promise<void> {
  const workOf = async (ask: Ask): Promise<string[]> => {
    const requestId = randomUUID();
    await ask(requestId);
    const done = work.of(requestId);
    return kind.startsWith('other') ? [...new Set(done)] : done;
  };
  const compared = async (): Promise<readonly string[][]> => [await workOf(askAcme), await workOf(askMissing)];
  // A late event may evict what is kept, or a slow step leave an answer unkept: that happens once, what an id tells every time.
  const [ofAcme, ofMissing] = await withinAttempts(3, compared, ([one, other]) => isDeepStrictEqual(one, other));
  expect(ofAcme).toEqual(ofMissing);
}

describe('of another tenant', () => {
  it('every route has a case, and no case is of a route that is gone', async () => {
    const { json } = await bolt({ method: 'GET', path: '/openapi.json' });
    const routes = Object.entries(json['paths'] as Record<string, Json>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(Object.keys(tenantCases).toSorted()).toEqual(routes.toSorted());
  });

  const cases = Object.entries(tenantCases).flatMap(([route, list]) =>
    list.map((one, index) => [route, one.owned ?? 'anything', index, one] as const),
  );
  it.each(cases)('%s knows no %s (%i)', async (route, _owned, _index, one) => {
    await check(route.split(' ')[0]!, one);
  });

  it('what the services do tells an id that is there from one that is not', async () => {
    const ask = async (caller: Caller, id: string): Promise<string[]> => {
      const requestId = randomUUID();
      await caller({ method: 'GET', path: `/v1/documents/${id}/content` }, { 'x-request-id': requestId });
      return work.of(requestId);
    };
    const [found, missing] = [await ask(acme, owned.document), await ask(acme, 'gone-paper')];
    const kinds = (noted: readonly string[], kind: string) => noted.filter((one) => one.startsWith(kind)).length;
    for (const kind of ['SELECT', 'call']) expect(kinds(missing, kind)).toBeGreaterThan(0);
    expect([kinds(found, 'blob'), kinds(missing, 'blob')]).toEqual([expect.any(Number), 0]);
    expect(kinds(found, 'blob')).toBeGreaterThan(0);
    expect(found).not.toEqual(missing);
  });

  it('nothing was changed by all these requests', async () => {
    const get = async (path: string): Promise<Json> => (await acme({ method: 'GET', path })).json;
    for (const id of [owned.document, owned.otherDocument])
      expect(await get(`/v1/documents/${id}`)).toMatchObject({ id, status: 'ready', version: 1 });
    for (const id of [owned.collection, owned.otherCollection])
      expect(await get(`/v1/collections/${id}`)).toMatchObject({ id, title: id });
    expect(await get(`/v1/conversations/${owned.conversation}`)).toMatchObject({ message_count: 2 });
    expect(await get('/v1/feedback')).toMatchObject({ data: [{ rating: 'up' }] });
    expect(await get(`/v1/admin/keys/${owned.key}`)).toMatchObject({ tenant: 'acme', revoked_at: null });
    expect(await get(`/v1/admin/dead-letters/${owned.letter}`)).toMatchObject({ status: 'parked', replays: 0 });
    expect(await get('/v1/admin/usage?group_by=tenant')).toMatchObject({ data: [{ tenant: 'acme' }] });
    const found = await acme({
      method: 'POST',
      path: '/v1/search',
      body: { query: WORD, collection: owned.collection },
    });
    expect(found.json).toMatchObject({ results: [{ document_id: owned.document }] });
  });
});

describe('an operator of another tenant', () => {
  it('finds sagas and dead letters of all tenants, and acts on those of the one that is named', async () => {
    const get = (path: string): Promise<Reply> => bolt({ method: 'GET', path: `/v1/admin/${path}` });
    const post = (path: string, body?: Json): Promise<Reply> =>
      bolt({ method: 'POST', path: `/v1/admin/${path}`, ...(body ? { body } : {}) });
    const { letter, saga } = owned;
    const found = await get('dead-letters?tenant=*&limit=200');
    expect(found.json['data']).toContainEqual(expect.objectContaining({ id: letter, tenant: 'acme' }));
    const dryRun = { ids: [letter], dry_run: true };
    expect((await post('dead-letters/replay?tenant=acme', dryRun)).json).toMatchObject({ accepted: 1 });

    const ended = await get('sagas?tenant=acme&state=completed&limit=200');
    expect(ended.json['data']).toContainEqual(expect.objectContaining({ id: saga, tenant: 'acme' }));
    expect((await get(`sagas/${saga}?tenant=acme`)).json).toMatchObject({ id: saga, timeline: expect.anything() });
    expect((await post(`sagas/${saga}/resume?tenant=acme`)).json).toMatchObject({ code: 'SAGA.ENDED' });
    const abort = await post(`sagas/${saga}/abort?tenant=acme`, { reason: 'a test' });
    expect(abort.json).toMatchObject({ code: 'SAGA.ENDED' });
    expect((await get('sagas?tenant=*&state=completed')).json).toMatchObject({ status: 422, field: 'state' });
    expect((await get('sagas?tenant=*&state=running')).status).toBe(200);
  });

  it('is the only one who may: administrators are refused', async () => {
    const { key } = await mesh.makeKey({ name: 'admin', tenant: 'bolt', roles: ['admin'] });
    for (const path of ['/v1/admin/dead-letters?tenant=*', '/v1/admin/sagas?tenant=acme'])
      expect((await mesh.as(key)({ method: 'GET', path })).json).toMatchObject({ code: 'AUTH.FORBIDDEN' });
  });
});

describe('without a credential', () => {
  it.each(['/healthz', '/readyz', '/health', '/openapi.json', '/docs'])('%s answers', async (path) => {
    expect((await fetch(mesh.url + path)).status).toBe(200);
  });
});

describe('the audit trail', () => {
  it('names what was made, and holds neither texts nor secrets', async () => {
    const { json } = await acme({ method: 'GET', path: `/v1/admin/audit?target=${owned.document}&limit=200` });
    const made = (json['data'] as Json[]).find(({ action }) => action === 'POST /v1/documents');
    expect(made).toMatchObject({ actor: `key:${owned.key}`, status: 202, target: null, made: [owned.document] });
    const { text } = await acme({ method: 'GET', path: '/v1/admin/audit?limit=200' });
    expect(text).not.toMatch(/4711|zanzibar|rgm_/);
  });
});

describe('the tenant of a credential', () => {
  it('cannot be named by a header', async () => {
    const forged = { 'x-ragmesh-tenant': 'acme', ce_tenant: 'acme', 'x-tenant': 'acme' };
    const path = `/v1/documents/${owned.document}`;
    expect((await bolt({ method: 'GET', path }, forged)).status).toBe(404);
  });

  it('is the one a token names', async () => {
    const ask = async (claims: Json): Promise<Reply> => {
      const token = await mesh.identity.token({ roles: ['reader'], ...claims });
      return mesh.as(token)({ method: 'GET', path: `/v1/documents/${owned.document}` });
    };
    expect((await ask({ tenant: 'acme' })).json).toMatchObject({ id: owned.document });
    expect((await ask({ tenant: 'bolt' })).json).toMatchObject({ status: 404, code: 'DOCUMENT.NOT_FOUND' });
    expect((await ask({ tenant: 'acme', roles: [] })).json).toMatchObject({ status: 403, code: 'AUTH.FORBIDDEN' });
    expect((await ask({ tenant: 'acme', exp: 1 })).json).toMatchObject({ status: 401, code: 'AUTH.INVALID' });
    expect((await ask({ tenant: '-' })).json).toMatchObject({ status: 401, code: 'AUTH.INVALID' });
  });

  it('is none of those who ask how the mesh is: they leave no collection behind', async () => {
    const health = await eventually('all is well', async () => {
      const told = (await (await fetch(`${mesh.url}/health`)).json()) as Json;
      return told['status'] === 'healthy' && told;
    });
    expect(health).toMatchObject({ components: { catalogue: 'up' } });
    const database = mesh.drivers.openDatabase('knowledge');
    const { rows } = await database.query("SELECT id FROM collection WHERE tenant = '-'");
    await database.close();
    expect(rows).toEqual([]);
  });

  it('stands in the rows and events of every service its documents went through', async () => {
    for (const service of ['document', 'vector', 'knowledge'] as const) {
      const tenants = await tenantsIn(service);
      expect({ service, tenants: [...tenants].filter((name) => name !== '-') }).toEqual({
        service,
        tenants: expect.arrayContaining(['acme', 'cork']),
      });
      expect(tenants).not.toContain('default');
    }
  });
});

async function tenantsIn(service: 'document' | 'vector' | 'knowledge'): Promise<Set<string>> {
  const database = mesh.drivers.openDatabase(service);
  try {
    const { rows: tables } = await database.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.columns
       JOIN information_schema.tables USING (table_schema, table_name)
       WHERE column_name = 'tenant' AND table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    const found = new Set<string>();
    for (const { name } of tables) {
      const { rows } = await database.query<{ tenant: string }>(`SELECT DISTINCT tenant FROM ${name}`);
      for (const { tenant } of rows) found.add(tenant);
    }
    return found;
  } finally {
    await database.close();
  }
}
