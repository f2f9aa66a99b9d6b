import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { eventually } from '@ragmesh/testing';
import { excusedRoutes } from '../src/audit/audited-routes.js';
import { routeRoles } from '../src/auth/route-roles.js';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';
import { AUDIENCE, ISSUER, startIdentityProvider, type IdentityProvider } from './identity-provider.js';

interface Entry {
  readonly actor: string;
  readonly actor_tenant: string;
  readonly tenant: string;
  readonly action: string;
  readonly target: string | null;
  readonly status: number | null;
  readonly code: string | null;
  readonly at: string;
  readonly request_id: string;
}

const bootstrapKey = `rgm_first_${randomBytes(32).toString('hex')}`;
let provider: IdentityProvider;
let edge: EdgeAlone;
beforeAll(async () => {
  provider = await startIdentityProvider();
  const environment = {
    AUTH_MODE: 'keys+jwt',
    RAGMESH_BOOTSTRAP_KEY: bootstrapKey,
    RAGMESH_BOOTSTRAP_TENANT: 'acme',
    AUTH_JWT_JWKS_URL: provider.jwksUrl,
    AUTH_JWT_ISSUER: ISSUER,
    AUTH_JWT_AUDIENCE: AUDIENCE,
  };
  edge = await startEdgeAlone(environment, [knowledgeService]);
});
afterAll(async () => {
  await edge.close();
  await provider.close();
});

type Init = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> };
const as =
  (credential: string) =>
  (method: string, path: string, init: Init = {}): Promise<Response> =>
    fetch(edge.url + path, { ...init, method, headers: { authorization: `Bearer ${credential}`, ...init.headers } });
const root = as(bootstrapKey);
const trail = async (query: string, ask = root): Promise<Entry[]> => {
  const answer = await ask('GET', `/v1/admin/audit?${query}`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { data: Entry[] }).data;
};
const actionOf = (route: string): string => route.replaceAll(/:(\w+)/g, '{$1}');
const json = { headers: { 'content-type': 'application/json' } };

describe('every running route', () => {
  const reads = new Set(['GET', 'HEAD', 'OPTIONS']);
  it('that changes something, or that only administrators read, leaves an entry; the others leave none', async () => {
    for (const route of edge.routes().filter((name) => !name.startsWith('HEAD '))) {
      const [method = '', path = ''] = route.split(' ');
      const requestId = `visit-${route.replaceAll(/\W/g, '-')}`;
      const init = { headers: { 'x-request-id': requestId }, ...(reads.has(method) ? {} : { body: '' }) };
      await (await root(method, path.replaceAll(/:\w+/g, 'some'), init)).body?.cancel();
      const { rows } = await edge.database.query<{ action: string }>(
        'SELECT action FROM audit_entry WHERE request_id = $1',
        [requestId],
      );
      const isChange = !reads.has(method) && !excusedRoutes.has(route);
      const isAdministration = path.startsWith('/v1/admin/') || ['admin', 'operator'].includes(routeRoles[route]!);
      const isRecorded = isChange || (isAdministration && route !== 'GET /metrics');
      expect({ route, rows }).toEqual({ route, rows: isRecorded ? [{ action: actionOf(route) }] : [] });
    }
  });
});

/** Resolves once somebody waits for a lock to write an entry. */
async function insertIsWaiting(): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%INSERT INTO audit_entry%'`;
  await eventually('somebody waits to write an entry', async () => (await edge.database.query(waiting)).rowCount > 0);
}

describe('an entry', () => {
  it('says who did what to what, and how it ended', async () => {
    const answer = await root('DELETE', '/v1/documents/the-paper');
    expect(answer.status).toBe(503);
    const [entry] = await trail('target=the-paper');
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      at: expect.any(String),
      actor: 'key:first',
      actor_tenant: 'acme',
      tenant: 'acme',
      action: 'DELETE /v1/documents/{id}',
      target: 'the-paper',
      made: [],
      status: 503,
      code: 'DEPENDENCY.UNAVAILABLE',
      request_id: answer.headers.get('x-request-id'),
      trace_id: expect.any(String),
    });
    expect(Math.abs(Date.now() - Date.parse(entry!.at))).toBeLessThan(60_000);
  });

  it('tells of what was tried without the role for it, and never of a credential that does not hold', async () => {
    const mallory = as(await provider.token({ tenant: 'acme', sub: 'mallory', roles: ['reader'] }));
    expect((await mallory('DELETE', '/v1/collections/secret')).status).toBe(403);
    await as('none')('DELETE', '/v1/collections/secret');
    expect(await trail('target=secret')).toEqual([
      expect.objectContaining({ actor: 'jwt:mallory', status: 403, code: 'AUTH.FORBIDDEN' }),
    ]);
  });

  it('holds nothing of a body or a query', async () => {
    const body = JSON.stringify({ text: 'the launch code is zebra', id: 'memo' });
    await root('POST', '/v1/documents?note=zebra', { ...json, body });
    await root('PUT', '/v1/documents/memo', { ...json, body });
    const { rows } = await edge.database.query(
      `SELECT row_to_json(e)::text || coalesce(row_to_json(o)::text, '') AS text
       FROM audit_entry e LEFT JOIN audit_outcome o USING (tenant, id) WHERE action ~ '(POST|PUT) /v1/documents'`,
    );
    expect(rows.length).toBeGreaterThan(1);
    expect(JSON.stringify(rows)).not.toMatch(/zebra|launch/);
  });

  it('of what an operator does to another tenant stands in that one’s trail, also where the body names it', async () => {
    const make = (body: string, ask = root): Promise<Response> => ask('POST', '/v1/admin/keys', { ...json, body });
    const key = { name: 'theirs', roles: ['reader'] };
    expect((await make(JSON.stringify({ ...key, tenant: 'cork' }))).status).toBe(201);
    const done = { actor: 'key:first', actor_tenant: 'acme', action: 'POST /v1/admin/keys' };
    const ofCork = 'tenant=cork&action=POST /v1/admin/keys';
    expect(await trail(ofCork)).toEqual([expect.objectContaining({ ...done, tenant: 'cork', status: 201 })]);

    const stranger = as(await provider.token({ tenant: 'dale', sub: 'kim', roles: ['admin'] }));
    expect((await make(JSON.stringify({ ...key, tenant: 'cork' }), stranger)).status).toBe(403);
    for (const unreadable of ['{', JSON.stringify({ ...key, tenant: 'no tenant' }), 'null']) await make(unreadable);
    expect(await trail(ofCork)).toHaveLength(1);
    const own = (await trail('action=POST /v1/admin/keys')).filter(({ status }) => status !== 201);
    for (const entry of own.slice(0, 3)) expect(entry).toMatchObject({ ...done, tenant: 'acme' });
    expect(own.length).toBeGreaterThanOrEqual(3);
  });

  it('says how it ended when the client left while it was being written', async () => {
    const { hostname, port } = new URL(edge.url);
    await edge.database.transaction(async (tx) => {
      await tx.query('LOCK TABLE audit_entry IN SHARE MODE');
      const socket = connect(Number(port), hostname);
      socket.write(`DELETE /v1/documents/left HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${bootstrapKey}\r\n\r\n`);
      await insertIsWaiting();
      socket.resetAndDestroy();
      await once(socket, 'close');
      await (await fetch(`${edge.url}/healthz`)).body?.cancel(); // by then the edge has heard of what came before
    });
    const ended = async () => (await trail('target=left')).find(({ status }) => typeof status === 'number');
    expect(await eventually('it says how it ended', ended)).toMatchObject({
      action: 'DELETE /v1/documents/{id}',
      status: 499,
    });
  });

  it('takes names as they come, also those a database cannot hold', async () => {
    await root('DELETE', '/v1/conversations/a%00b%0Ac%F0%9F%98%80');
    const [entry] = await trail('action=DELETE /v1/conversations/{id}&limit=1');
    expect(entry!.target).toBe('a\u{fffd}b\u{fffd}c\u{1f600}');
  });
});

describe('the trail', () => {
  it('is asked by actor, action, target and time, in pages, newest first', async () => {
    const before = new Date().toISOString();
    const kim = as(await provider.token({ tenant: 'dale', sub: 'kim', roles: ['admin'] }));
    for (const id of ['a', 'b', 'c']) await kim('DELETE', `/v1/collections/${id}`);
    const targets = (entries: Entry[]): (string | null)[] => entries.map(({ target }) => target);
    const deletions = 'action=DELETE /v1/collections/{id}';
    expect(targets(await trail(`actor=jwt:kim&${deletions}`, kim))).toEqual(['c', 'b', 'a']);
    expect(targets(await trail('target=b', kim))).toEqual(['b']);
    expect(await trail('actor=jwt:lou', kim)).toEqual([]);
    expect(await trail(`${deletions}&until=${before}`, kim)).toEqual([]);
    expect(targets(await trail(`${deletions}&since=${before}`, kim))).toEqual(['c', 'b', 'a']);
    const page = await (await kim('GET', `/v1/admin/audit?${deletions}&limit=2`)).json();
    const { data, next_cursor: cursor } = page as { data: Entry[]; next_cursor: string };
    expect(targets(data)).toEqual(['c', 'b']);
    expect(targets(await trail(`${deletions}&limit=2&cursor=${cursor}`, kim))).toEqual(['a']);
  });

  it('shows a tenant what its own did and what operators did to it, and nothing of others', async () => {
    const [eve, own] = await Promise.all(
      ['admin', 'operator'].map(async (role) =>
        as(await provider.token({ tenant: role === 'admin' ? 'elm' : 'mesh', sub: 'eve', roles: ['admin', role] })),
      ),
    );
    await own!('PUT', '/v1/admin/quotas?tenant=elm', {
      ...json,
      body: JSON.stringify({ requests_per_minute: null, tokens_per_day: null }),
    });
    await eve!('DELETE', '/v1/collections/mine');
    await eve!('GET', '/v1/admin/keys?tenant=fir'); // refused: she is no operator
    const seen = await trail('', eve!);
    expect(new Set(seen.map(({ actor_tenant: tenant }) => tenant))).toEqual(new Set(['elm', 'mesh']));
    expect(seen.filter(({ tenant }) => tenant !== 'elm')).toEqual([]);
    expect(await trail('tenant=fir', own)).toEqual([
      expect.objectContaining({ action: 'GET /v1/admin/audit', actor: 'jwt:eve' }), // this very reading
    ]);
    expect((await eve!('GET', '/v1/admin/audit?tenant=fir')).status).toBe(403);
  });

  it.each(['limit=0', 'cursor=x', 'since=yesterday', 'who=me', `actor=${'x'.repeat(401)}`])(
    'refuses %s',
    async (query) => expect((await root('GET', `/v1/admin/audit?${query}`)).status).toBe(422),
  );

  it.each(['audit_entry', 'audit_outcome'])('%s is append only in the database itself', async (table) => {
    await trail('');
    const count = async (): Promise<number> =>
      (await edge.database.query<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)).rows[0]!.count;
    const before = await count();
    const refused = { message: expect.stringContaining('append only') };
    for (const sql of [`UPDATE ${table} SET tenant = 'x'`, `DELETE FROM ${table}`, `TRUNCATE ${table}`])
      await expect(edge.database.query(sql)).rejects.toMatchObject(refused);
    // The outcome of a request is written after its answer: more may have come, none may be missing.
    expect(await count()).toBeGreaterThanOrEqual(before);
  });
});

describe('while the trail cannot be written', () => {
  const query = async (...statements: string[]): Promise<void> => {
    for (const sql of statements) await edge.database.query(sql);
  };
  const fillDisk = (): Promise<void> =>
    query(
      `CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = 'disk_full'; END $$`,
      'CREATE TRIGGER disk_full BEFORE INSERT ON audit_entry EXECUTE FUNCTION disk_full()',
    );

  it('nothing is changed, and what administrators read is written down later', async () => {
    await fillDisk();
    try {
      const refused = await root('DELETE', '/v1/documents/unwritten');
      expect(await refused.json()).toMatchObject({ status: 507, code: 'STORAGE.FULL' });
      expect((await root('GET', '/v1/admin/quotas')).status).toBe(200);
      expect((await root('GET', '/v1/documents/unwritten')).status).toBe(503); // as ever: nobody is behind the edge
    } finally {
      await query('DROP FUNCTION disk_full CASCADE');
    }
    expect(await trail('target=unwritten')).toEqual([]);
    const [late] = await trail('action=GET /v1/admin/quotas&limit=1');
    expect(late).toMatchObject({ actor: 'key:first', status: 200 });
  });
});
