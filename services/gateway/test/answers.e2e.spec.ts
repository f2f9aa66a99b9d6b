import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startStandalone, type Standalone } from '@ragmesh/service-standalone';

let mesh: Standalone;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-gateway-'));
  mesh = await startStandalone({ environment: { RAGMESH_DATA_DIR: dataDir, SERVER_PORT: '0' } });
});
afterAll(async () => {
  await mesh?.close();
  await rm(dataDir, { recursive: true, force: true });
});

type Body = Record<string, unknown> & { id: string; status: string };

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${mesh.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

const read = async (response: Promise<Response>): Promise<Body> => (await (await response).json()) as Body;

async function ready(id: string): Promise<Body> {
  const document = await read(fetch(`${mesh.url}/v1/documents/${encodeURIComponent(id)}?wait=60`));
  expect(document).toMatchObject({ id, status: 'ready', error: null });
  return document;
}

describe('uploads', () => {
  it('answers twenty concurrent requests with one Idempotency-Key by one document and one response', async () => {
    const send = (): Promise<Response> =>
      post('/v1/documents', { text: 'Twenty at once are one document.' }, { 'idempotency-key': 'twenty' });
    const answers = await Promise.all(Array.from({ length: 20 }, send));
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(bodies).size).toBe(1);
    await ready((JSON.parse(bodies[0]!) as Body).id);
  });

  it('refuses a key that comes with other content', async () => {
    expect((await post('/v1/documents', { text: 'first' }, { 'idempotency-key': 'reused' })).status).toBe(202);
    const second = await post('/v1/documents', { text: 'second' }, { 'idempotency-key': 'reused' });
    expect(second.status).toBe(422);
    expect(await second.json()).toMatchObject({ code: 'IDEMPOTENCY.KEY_REUSED' });
  });

  it('takes many files at once and repeats its answer under the same key, whatever the boundary', async () => {
    const send = (): Promise<Response> => {
      const form = new FormData();
      form.append('collection', 'default');
      form.append('metadata', '{"batch": 7}');
      for (const name of ['one.txt', 'two.txt', 'three.md'])
        form.append('file', new Blob([`The content of ${name}.`]), name);
      return fetch(`${mesh.url}/v1/documents`, { method: 'POST', body: form, headers: { 'idempotency-key': 'files' } });
    };
    const first = await send();
    expect(first.status).toBe(202);
    const { documents } = (await first.json()) as { documents: Body[] };
    expect(documents).toHaveLength(3);
    for (const { id } of documents) expect(await ready(id)).toMatchObject({ metadata: { batch: 7 } });
    expect(await read(send())).toEqual({ documents });
  });

  it('leaves nothing of a form whose later part is wrong', async () => {
    const form = new FormData();
    form.append('collection', 'undone');
    form.append('file', new Blob(['Nobody shall read this.']), 'a.txt');
    form.append('title', 'too late');
    const answer = await fetch(`${mesh.url}/v1/documents`, { method: 'POST', body: form });
    expect(await answer.json()).toMatchObject({ status: 422, code: 'REQUEST.INVALID', field: 'title' });
    expect(await read(fetch(`${mesh.url}/v1/documents?collection=undone`))).toMatchObject({ data: [] });
  });
});

describe('documents', () => {
  it('serves content as a download and the canonical text as text', async () => {
    const html = '<html><body><h1>Hello</h1><p>A page with a script.</p><script>alert(1)</script></body></html>';
    const form = new FormData();
    form.append('file', new Blob([html], { type: 'text/html' }), 'pâge "1".html');
    const { id } = await read(fetch(`${mesh.url}/v1/documents`, { method: 'POST', body: form }));
    await ready(id);
    const original = await fetch(`${mesh.url}/v1/documents/${id}/content`);
    expect(await original.text()).toBe(html);
    expect(original.headers.get('content-disposition')).toMatch(/^attachment; filename=.*filename\*=UTF-8''p%C3%A2ge/);
    expect(original.headers.get('x-content-type-options')).toBe('nosniff');
    const text = await fetch(`${mesh.url}/v1/documents/${id}/content?as=text`);
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await text.text()).toContain('A page with a script.');
    const plain = await read(post('/v1/documents', { text: 'Grüße.' }));
    const uploaded = await fetch(`${mesh.url}/v1/documents/${plain.id}/content`);
    expect(uploaded.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  it('serves content once: who has it is told so, until there is another', async () => {
    const { id } = await read(post('/v1/documents', { id: 'tagged', text: 'Version one.' }));
    await ready(id);
    const load = (tag: string, as = ''): Promise<Response> =>
      fetch(`${mesh.url}/v1/documents/${id}/content${as}`, { headers: tag === '' ? {} : { 'if-none-match': tag } });
    const first = await load('');
    expect(await first.text()).toBe('Version one.');
    const tag = first.headers.get('etag')!;
    expect(tag).toMatch(/^"[0-9a-f]{64}"$/);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await load(known);
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, tag, '']);
    }
    const text = await load('', '?as=text');
    expect(text.headers.get('etag')).toBe(tag); // the same bytes
    expect((await load('"other"')).status).toBe(200);
    await fetch(`${mesh.url}/v1/documents/${id}`, {
      method: 'PUT',
      body: '{"text":"Version two."}',
      headers: { 'content-type': 'application/json' },
    });
    await ready(id);
    expect(await (await load(tag)).text()).toBe('Version two.');
  });

  it('goes through its life: listed, chunked, replaced, deleted', async () => {
    const { id } = await read(post('/v1/documents', { id: 'life', text: 'Version one of a life.', title: 'Life' }));
    expect(await ready(id)).toMatchObject({ title: 'Life', version: 1 });
    const replaced = await fetch(`${mesh.url}/v1/documents/${id}`, {
      method: 'PUT',
      body: '{"text":"Version two of a life."}',
      headers: { 'content-type': 'application/json' },
    });
    expect(replaced.status).toBe(202);
    const { version } = (await replaced.json()) as { version: number };
    expect(await ready(id)).toMatchObject({ version });
    expect(await read(fetch(`${mesh.url}/v1/documents/${id}/chunks`))).toMatchObject({
      version,
      next_cursor: null,
      data: [{ text: 'Version two of a life.', start: 0 }],
    });
    expect(
      ((await read(fetch(`${mesh.url}/v1/documents/${id}/timeline`)))['steps'] as unknown[]).length,
    ).toBeGreaterThan(0);
    const deleted = await fetch(`${mesh.url}/v1/documents/${id}`, { method: 'DELETE' });
    expect(deleted.status).toBe(202);
    const { operation } = (await deleted.json()) as { operation: { href: string } };
    const events = await (await fetch(`${mesh.url}${operation.href}/events`)).text();
    expect(events.trim().split('\n\n').at(-1)).toMatch(/^event: done\ndata: .*"done":true/);
  });
});

describe('answers', () => {
  const fact = 'The lighthouse of Alvöra was built in 1873 and stands 41 metres tall.';

  it('streams sources, deltas, citations and done in this order, and says the same as JSON', async () => {
    const { id } = await read(post('/v1/documents', { text: fact, collection: 'default' }));
    await ready(id);
    const question = { query: 'How tall is the lighthouse of Alvöra?' };
    const stream = await post('/v1/query', { ...question, stream: true });
    expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = eventsOf(await stream.text());
    const names = events.map(({ event }) => event);
    expect(names[0]).toBe('sources');
    expect(names.at(-1)).toBe('done');
    expect(names.filter((name) => name === 'done' || name === 'sources')).toHaveLength(2);
    expect(new Set(names.slice(1, -1))).toEqual(new Set(['delta', 'citation']));
    const answer = await read(post('/v1/query', question));
    expect(
      events
        .filter(({ event }) => event === 'delta')
        .map(({ data }) => data['text'])
        .join(''),
    ).toBe(answer['answer']);
    expect(answer['answer']).toContain('41');
    const [citation] = answer['citations'] as { document_id: string; start: number; end: number; text: string }[];
    const text = await (await fetch(`${mesh.url}/v1/documents/${citation!.document_id}/content?as=text`)).text();
    expect(text.slice(citation!.start, citation!.end)).toBe(citation!.text);
  });

  it('gives the request id it was given to search results, and refuses an unknown filter operator', async () => {
    const found = await post('/v1/search', { query: 'lighthouse', top_k: 3 }, { 'x-request-id': 'mine-42' });
    expect(found.headers.get('x-request-id')).toBe('mine-42');
    expect(await found.json()).toMatchObject({ request_id: 'mine-42', degraded: [] });
    const refused = await read(post('/v1/search', { query: 'lighthouse', filters: { year: { $near: 1 } } }));
    expect(refused).toMatchObject({ status: 422, code: 'FILTER.UNKNOWN_OPERATOR' });
  });
});

describe('administration', () => {
  it('lists collections and dead letters', async () => {
    expect(await read(post('/v1/collections', { id: 'handbook', title: 'Handbook' }))).toMatchObject({
      id: 'handbook',
      documents: 0,
    });
    expect(await read(fetch(`${mesh.url}/v1/collections/handbook`))).toMatchObject({ title: 'Handbook' });
    expect((await fetch(`${mesh.url}/v1/collections/handbook`, { method: 'DELETE' })).status).toBe(204);
    const nothing = { data: [], next_cursor: null, groups: [], unavailable: [] };
    expect(await read(fetch(`${mesh.url}/v1/admin/dead-letters`))).toEqual(nothing);
    // It handles no events, and has letters of what it says and the bus refuses.
    expect(await read(fetch(`${mesh.url}/v1/admin/dead-letters?service=model`))).toEqual(nothing);
  });

  it('is alive, ready and measured', async () => {
    expect((await fetch(`${mesh.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${mesh.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${mesh.url}/metrics`)).text()).toMatch(
      /rag_requests_total\{operation="\/v1\/documents",status="202"\} \d+/,
    );
  });
});

function eventsOf(stream: string): { event: string; data: Record<string, unknown> }[] {
  return stream
    .trim()
    .split('\n\n')
    .filter((block) => !block.startsWith(':'))
    .map((block) => {
      const [event, data] = block.split('\n');
      return {
        event: event!.replace('event: ', ''),
        data: JSON.parse(data!.replace('data: ', '')) as Record<string, unknown>,
      };
    });
}
