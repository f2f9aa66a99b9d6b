import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Metadata, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { catalogue } from '@ragmesh/contracts';
import { encodeEvent } from '@ragmesh/messaging';
import { eventually } from '@ragmesh/testing';
import { startGuardedMesh, type Caller, type GuardedMesh, type Json, type Reply } from './two-tenants.js';

const QUERY = 'What does the zephyr clause say?';

let mesh: GuardedMesh;
let [admin, writer, legal, sales]: Caller[] = [];
let legalKey: { id: string; key: string };

/** A token of somebody with these groups, or of nobody's. */
async function person(sub: string, groups: string[]): Promise<Caller> {
  return mesh.as(await mesh.identity.token({ tenant: 'acme', roles: ['reader'], sub, groups }));
}

async function must(caller: Caller | undefined, method: string, path: string, body?: unknown): Promise<Json> {
  const reply = await caller!({ method, path, body });
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
  return reply.json;
}

async function upload(id: string, text: string, more: Json = {}): Promise<void> {
  await must(writer, 'POST', '/v1/documents', { id, text, ...more });
  expect(await must(admin, 'GET', `/v1/documents/${id}?wait=60`)).toMatchObject({ status: 'ready' });
}

/** Ids of the documents a search finds. */
async function found(caller: Caller | undefined, more: Json = {}): Promise<string[]> {
  const { results } = await must(caller, 'POST', '/v1/search', { query: QUERY, ...more });
  return [...new Set((results as { document_id: string }[]).map(({ document_id: id }) => id))].toSorted();
}

beforeAll(async () => {
  mesh = await startGuardedMesh();
  const key = async (roles: string[]) => mesh.makeKey({ name: roles.join(), roles, tenant: 'acme' });
  admin = mesh.as((await key(['admin'])).key);
  writer = mesh.as((await key(['writer'])).key);
  legalKey = await key(['reader']);
  legal = await person('ada', ['legal', 'Köln, Süd']);
  sales = await person('bob', ['sales']);
  await must(admin, 'POST', '/v1/collections', { id: 'board', title: 'Board' });
  await upload('open', 'The zephyr clause is open to everyone.');
  await upload('contract', 'The zephyr clause pays 4711 crowns.', { access: ['group:legal', 'role:writer'] });
  await upload('minutes', 'The zephyr clause of the board.', { collection: 'board', access: null });
});
afterAll(async () => {
  await mesh?.close();
});

describe('a document with an access list', () => {
  /** Every route that takes the id of a document; `missing` has none. */
  const routes: [method: string, path: string, body: unknown][] = [
    ['GET', '/v1/documents/:id', undefined],
    ['GET', '/v1/documents/:id?wait=1', undefined],
    ['GET', '/v1/documents/:id/content', undefined],
    ['GET', '/v1/documents/:id/content?as=text', undefined],
    ['GET', '/v1/documents/:id/chunks', undefined],
    ['GET', '/v1/documents/:id/timeline', undefined],
    ['GET', '/v1/operations/ingestion-1-:id', undefined],
    ['GET', '/api/v1/documents/:id', undefined],
    ['POST', '/v1/questions', { document_id: ':id', count: 1 }],
  ];

  it.each(routes)('%s %s: answers as a missing one to whom it does not name', async (method, path, body) => {
    const ask = (caller: Caller | undefined, id: string): Promise<Reply> => {
      const sent = body === undefined ? undefined : JSON.parse(JSON.stringify(body).replaceAll(':id', id));
      return caller!({ method, path: path.replace(':id', id), body: sent });
    };
    const steady = ({ status: code, text }: Reply, id: string) => ({
      code,
      text: text.replaceAll(id, ':id').replaceAll(/"(request_id|trace_id)":"[^"]*"/g, ''),
    });
    const [hidden, missing] = [await ask(sales, 'contract'), await ask(sales, 'nothing!'.slice(0, 7))];
    expect(steady(hidden, 'contract')).toEqual(steady(missing, 'nothing'));
    expect(hidden.status).toBe(404);
    expect((await ask(legal, 'contract')).status).toBeLessThan(300);
  });

  it('is in no list and no search of others', async () => {
    const ids = async (caller: Caller | undefined): Promise<string[]> =>
      ((await must(caller, 'GET', '/v1/documents'))['data'] as { id: string }[]).map(({ id }) => id).toSorted();
    expect(await ids(sales)).toEqual(['minutes', 'open']);
    expect(await ids(legal)).toEqual(['contract', 'minutes', 'open']);
    for (const mode of ['hybrid', 'dense', 'lexical']) {
      expect(await found(sales, { mode, top_k: 1 })).toEqual(['open']);
      expect(await found(legal, { mode, top_k: 10 })).toEqual(['contract', 'open']);
    }
  });

  it('is the source of no answer to others, whoever asked before', async () => {
    const answers = async (caller: Caller | undefined): Promise<string> => {
      const asked: [string, Json][] = [
        ['/v1/query', { query: QUERY }],
        ['/query', { query: QUERY }],
        ['/query/stream', { query: QUERY }],
        ['/api/v1/query', { query: QUERY }],
        ['/v1/chat/completions', { model: 'ragmesh', messages: [{ role: 'user', content: QUERY }] }],
        ['/v1/questions', { topic: 'zephyr', count: 1 }],
        ['/v1/questions', { count: 1 }],
        ['/api/chat/generate-questions', { topic: 'zephyr', count: 1 }],
      ];
      let all = '';
      for (const [path, body] of asked) all += (await caller!({ method: 'POST', path, body })).text;
      return all;
    };
    expect(await answers(legal)).toContain('contract');
    const others = await answers(sales);
    expect(others).not.toContain('contract');
    expect(others).not.toContain('4711');
    expect(others).toContain('open');
  });

  it('is told to whom it names, in whatever letters, and to an admin', async () => {
    const change = { access: ['group:Köln, Süd', 'jwt:bob', `key:${legalKey.id}`, 'role:writer'] };
    expect(await must(writer, 'PUT', '/v1/documents/contract/access', change)).toMatchObject(change);
    for (const caller of [legal, sales, mesh.as(legalKey.key), admin])
      expect(await must(caller, 'GET', '/v1/documents/contract')).toMatchObject(change);
    await eventually('the search has heard of it', async () => (await found(sales)).includes('contract'));
  });

  it('is hidden at once, from searches that were made before too', async () => {
    const change = (access: string[]) => must(writer, 'PUT', '/v1/documents/contract/access', { access });
    expect(await found(legal)).toContain('contract');
    await change(['group:legal', 'role:writer']);
    expect(await found(sales)).toEqual(['open']);
    await eventually('those it names anew find it', async () => (await found(legal)).includes('contract'));
    await change(['role:writer']);
    expect(await found(legal)).toEqual(['open']);
    expect((await legal!({ method: 'GET', path: '/v1/documents/contract' })).status).toBe(404);
  });

  it('keeps its list when it is replaced, and takes another that comes with a version', async () => {
    await must(writer, 'PUT', '/v1/documents/contract', { text: 'The zephyr clause pays 4712 crowns.' });
    expect(await must(writer, 'GET', '/v1/documents/contract?wait=60')).toMatchObject({ access: ['role:writer'] });
    expect(await found(sales)).toEqual(['open']);
    await must(writer, 'PUT', '/v1/documents/open', { text: 'The zephyr clause is closed.', access: ['role:writer'] });
    expect(await found(sales)).toEqual([]);
    await must(writer, 'GET', '/v1/documents/open?wait=60');
    expect(await found(sales)).toEqual([]);
    await must(writer, 'PUT', '/v1/documents/open/access', { access: null });
    await eventually('it is open again', async () => (await found(sales)).includes('open'));
  });

  it('cannot be replaced, deleted or found out about by whom it does not name', async () => {
    const other = mesh.as((await mesh.makeKey({ name: 'other', roles: ['writer'], tenant: 'acme' })).key);
    await must(admin, 'PUT', '/v1/documents/contract/access', { access: ['jwt:ada'] });
    const ask = async (method: string, path: string, body?: unknown): Promise<unknown> =>
      (await other({ method, path, body })).json['code'];
    expect(await ask('DELETE', '/v1/documents/contract')).toBe('DOCUMENT.NOT_FOUND');
    expect(await ask('POST', '/v1/documents/contract/retry')).toBe('DOCUMENT.NOT_FOUND');
    expect(await ask('POST', '/v1/documents/contract/cancel')).toBe('DOCUMENT.NOT_FOUND');
    expect(await ask('PUT', '/v1/documents/contract/access', { access: null })).toBe('DOCUMENT.NOT_FOUND');
    expect(await ask('PUT', '/v1/documents/contract', { text: 'mine' })).toBe('DOCUMENT.ID_TAKEN');
    expect(await ask('POST', '/v1/documents', { id: 'contract', text: 'mine' })).toBe('DOCUMENT.ID_TAKEN');
    const same = { text: 'The same words in two documents.', access: ['jwt:ada'] };
    const [mine, theirs] = [
      await must(admin, 'POST', '/v1/documents', same),
      await must(other, 'POST', '/v1/documents', same),
    ];
    expect(theirs).toMatchObject({ deduplicated: false });
    expect(theirs['id']).not.toBe(mine['id']);
  });
});

describe('the first document with an access list in a collection that was searched before', () => {
  it('is in nothing that is kept for others', async () => {
    await must(admin, 'POST', '/v1/collections', { id: 'vault', title: 'Vault' });
    await upload('lid', 'The zephyr clause of the vault is on its lid.', { collection: 'vault' });
    expect(await found(sales, { collection: 'vault' })).toEqual(['lid']);
    const secret = { collection: 'vault', access: ['group:legal', 'role:writer'] };
    await upload('bottom', 'The zephyr clause of the vault pays 815 crowns.', secret);
    const asked = { method: 'POST', path: '/v1/query', body: { query: QUERY, collection: 'vault' } };
    await eventually('an answer from it is kept', async () => {
      const { text, json } = await legal!(asked);
      expect(text).toContain('bottom');
      return json['cached'] === true;
    });
    expect((await sales!(asked)).text).not.toMatch(/bottom|815/);
    expect(await found(sales, { collection: 'vault' })).toEqual(['lid']);
  });
});

describe('a collection with an access list', () => {
  it('is as if it were not there for others, with everything in it, at once', async () => {
    expect(await found(sales, { collection: 'board' })).toEqual(['minutes']);
    const change = { access: ['group:legal'] };
    expect(await must(admin, 'PUT', '/v1/collections/board/access', change)).toMatchObject(change);
    expect(await found(sales, { collection: 'board' })).toEqual([]);
    expect((await sales!({ method: 'GET', path: '/v1/collections/board' })).json['code']).toBe('COLLECTION.NOT_FOUND');
    expect((await sales!({ method: 'GET', path: '/v1/documents/minutes' })).json['code']).toBe('DOCUMENT.NOT_FOUND');
    for (const path of ['/v1/collections', '/v1/documents'])
      expect(JSON.stringify(await must(sales, 'GET', path))).not.toMatch(/board|minutes/);
    const refused = await writer!({ method: 'POST', path: '/v1/documents', body: { text: 'x', collection: 'board' } });
    expect(refused.json['code']).toBe('COLLECTION.NOT_FOUND');
    expect(await must(legal, 'GET', '/v1/collections/board')).toMatchObject({ id: 'board', access: ['group:legal'] });
    expect(await found(legal, { collection: 'board' })).toEqual(['minutes']);
  });

  it('tells others nothing of how it is indexed', async () => {
    await must(admin, 'POST', '/v1/collections/board/reindex', {});
    await eventually('it is indexed anew', async () => {
      return (await must(legal, 'GET', '/v1/operations/reindex-1-board'))['done'] === true;
    });
    const steady = ({ status: code, json }: Reply, id: string) =>
      JSON.stringify({ code, ...json, request_id: '', trace_id: '' }).replaceAll(id, 'ID');
    const told = async (caller: Caller | undefined, id: string): Promise<string[]> => [
      steady(await caller!({ method: 'GET', path: `/v1/collections/${id}/generations` }), id),
      steady(await caller!({ method: 'GET', path: `/v1/operations/reindex-1-${id}` }), id),
    ];
    expect(await told(sales, 'board')).toEqual(await told(sales, 'nowhere'));
    expect((await must(legal, 'GET', '/v1/collections/board/generations'))['data']).not.toHaveLength(0);
  });

  it('is there again for everyone once its list is taken away', async () => {
    await must(admin, 'PUT', '/v1/collections/board/access', { access: null });
    expect(await must(sales, 'GET', '/v1/collections/board')).toMatchObject({ access: null });
    await eventually('all have heard of it', async () => {
      const { status: code } = await sales!({ method: 'GET', path: '/v1/documents/minutes' });
      return code === 200 && (await found(sales, { collection: 'board' })).length === 1;
    });
  });

  it('has no list of before when it is made again, and the one it is given then holds', async () => {
    const make = () => must(admin, 'POST', '/v1/collections', { id: 'hr' });
    const set = (access: string[] | null) => must(admin, 'PUT', '/v1/collections/hr/access', { access });
    await make();
    for (const access of [['jwt:ada'], null, ['jwt:ada'], null]) await set(access);
    await must(admin, 'DELETE', '/v1/collections/hr');
    expect(await make()).toMatchObject({ access: null });
    await set(['jwt:bob', 'role:writer']);
    await upload('salaries', 'The zephyr clause of the salaries.', { collection: 'hr' });
    expect(await found(legal, { collection: 'hr' })).toEqual([]);
    expect(await found(sales, { collection: 'hr' })).toEqual(['salaries']);
    expect((await legal!({ method: 'GET', path: '/v1/documents/salaries' })).json['code']).toBe('DOCUMENT.NOT_FOUND');
  });

  it.each([
    { access: ['ada'] },
    { access: ['*'] },
    { access: 'group:legal' },
    {},
    { access: Array(101).fill('key:a') },
  ])('is refused a list such as %j', async (body) => {
    const { json } = await admin!({ method: 'PUT', path: '/v1/collections/board/access', body });
    expect(json).toMatchObject({ status: 422, code: 'REQUEST.INVALID' });
  });
});

describe('who speaks for a tenant', () => {
  it('is taken from no call that no service signed', async () => {
    const claims = { 'x-ragmesh-tenant': 'acme', 'x-ragmesh-principals': '*', 'x-request-id': 'r' };
    const forged = Metadata.fromHttp2Headers(claims);
    for (const [service, path] of [
      ['document', '/ragmesh.document.v1.DocumentService/ListDocuments'],
      ['document', '/ragmesh.document.v1.DocumentService/Upload'],
      ['gateway', '/ragmesh.operations.v1.BreakerService/ListBreakers'],
    ] as const) {
      const client = new Client(mesh.drivers.grpcAddress(service), credentials.createInsecure());
      const raw = (bytes: Buffer): Buffer => bytes;
      const refused = new Promise<ServiceError | null>((resolve) => {
        client.makeUnaryRequest(path, raw, raw, Buffer.alloc(0), forged, { deadline: Date.now() + 60_000 }, resolve);
      });
      expect((await refused)?.code).toBe(status.UNAUTHENTICATED);
      client.close();
    }
  });

  it('is taken from no event that no service signed: it becomes a dead letter', async () => {
    const origin = { source: '/ragmesh/knowledge', tenant: 'bolt', actor: 'knowledge', correlationId: 'r', trace: {} };
    const event = encodeEvent(catalogue.accessChanged, 'open', { collection: 'default', documentId: 'open' }, origin);
    const headers = { ...event.headers, ce_tenant: 'acme' };
    const { topic, key, value } = event;
    await mesh.drivers.bus.publish([{ topic, partition: 0, key, headers, value }]);
    const operator = mesh.as((await mesh.makeKey({ name: 'op', roles: ['operator'], tenant: 'acme' })).key);
    await eventually('it is given up by all who read it', async () => {
      const letters = (await must(operator, 'GET', '/v1/admin/dead-letters'))['data'] as Json[];
      return (
        letters.filter(({ code }) => code === 'EVENT.UNSIGNED').length === catalogue.accessChanged.consumers.length
      );
    });
    expect(await must(sales, 'GET', '/v1/documents/open')).toMatchObject({ access: null });
  });

  it('measures how long a change takes to be everywhere', async () => {
    const metrics = await mesh.as(mesh.bootstrapKey)({ method: 'GET', path: '/metrics' });
    for (const service of ['vector', 'retrieval'])
      expect(metrics.text).toMatch(new RegExp(`ragmesh_access_lag_seconds_count\\{service="${service}"\\} [1-9]`));
  });
});
