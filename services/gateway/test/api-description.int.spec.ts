import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';

let edge: EdgeAlone;
beforeAll(async () => void (edge = await startEdgeAlone({ MAX_CONCURRENT_REQUESTS: '1' })));
afterAll(() => edge.close());

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: object }>>;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: { readonly maxLength?: number };
  }[];
}

const api = async (): Promise<{ openapi: string; paths: Record<string, Record<string, Operation>> }> =>
  (await (await fetch(`${edge.url}/openapi.json`)).json()) as never;

describe('the API description', () => {
  it('has every running route, and no other', async () => {
    const { paths } = await api();
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const running = edge
      .routes()
      .filter((route) => !route.startsWith('HEAD '))
      .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'));
    expect(described.toSorted()).toEqual(running.toSorted());
  });

  it('names each operation once, its path parameters, an answer and the problem every route can have', async () => {
    const { openapi, paths } = await api();
    expect(openapi).toBe('3.1.0');
    const ids = Object.values(paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, methods] of Object.entries(paths)) {
      for (const { responses, parameters = [] } of Object.values(methods)) {
        const named = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
        expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
        expect(Object.keys(responses).some((status) => status.startsWith('2'))).toBe(true);
        expect(JSON.stringify(responses['500'])).toContain('INTERNAL.UNEXPECTED');
      }
    }
  });

  it('says how long an id may be, which is more for one made of others', async () => {
    const { paths } = await api();
    const longest = (path: string) => paths[path]!['get']!.parameters![0]!.schema.maxLength;
    const places = ['/v1/documents/{id}', '/v1/operations/{id}', '/v1/operations/{id}/events'];
    expect(places.map(longest)).toEqual([200, 240, 240]);
  });

  it('is a page that loads nothing and runs nothing', async () => {
    const page = await fetch(`${edge.url}/docs`);
    const html = await page.text();
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(html).toContain('/v1/documents/{id}/content');
    expect(html).not.toMatch(/<script|src=|href="http|@import/);
  });

  it('describes the events too', async () => {
    const document = (await (await fetch(`${edge.url}/asyncapi.json`)).json()) as { asyncapi: string };
    expect(document.asyncapi).toMatch(/^3\./);
  });
});

describe('failures', () => {
  it('of a service behind the edge are retryable problems with Retry-After', async () => {
    const answer = await fetch(`${edge.url}/v1/documents/a`);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.json()).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE', retryable: true, retry_after: 1 });
  });

  it('of overload are shed at once while probes still answer', async () => {
    const stalled = new AbortController();
    const stuck = fetch(`${edge.url}/v1/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      signal: stalled.signal,
      duplex: 'half',
      body: new ReadableStream({ start: (body) => body.enqueue(Buffer.from('{')) }),
    } as RequestInit).catch(() => undefined);
    const answered = async (code: string): Promise<Response | undefined> => {
      const answer = await fetch(`${edge.url}/v1/documents/a`);
      return (await answer.text()).includes(code) ? answer : undefined;
    };
    const shed = await eventually('overload', () => answered('OVERLOAD.SHED'));
    expect(shed.status).toBe(503);
    expect(shed.headers.get('retry-after')).toBe('1');
    expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
    stalled.abort();
    await stuck;
    await eventually('the end of it', () => answered('DEPENDENCY'));
  });

  it('say which methods a path takes', async () => {
    const answer = await fetch(`${edge.url}/v1/documents/a`, { method: 'PATCH' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('DELETE, GET, HEAD, PUT');
  });

  it('keep the request id they came with, unless it is unprintable', async () => {
    const send = (id: string): Promise<Response> =>
      fetch(`${edge.url}/v1/nothing`, { headers: { 'x-request-id': id } });
    expect((await send('abc-1')).headers.get('x-request-id')).toBe('abc-1');
    expect((await send('two words')).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect((await send('x'.repeat(129))).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('free their Idempotency-Key, and a claim whose process died is taken over', async () => {
    const send = (key: string): Promise<Response> =>
      fetch(`${edge.url}/v1/documents`, {
        method: 'POST',
        body: '{"text":"a"}',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
      });
    expect((await send('failed')).status).toBe(503);
    const held = 'SELECT key FROM idempotency_key WHERE leased_until > now()';
    expect((await edge.database.query(held)).rows).toEqual([]);
    expect((await send('failed')).status).toBe(503);
    await edge.database.query(
      `INSERT INTO idempotency_key (tenant, key, owner, leased_until, expires_at)
       VALUES ('default', 'died', gen_random_uuid(), now() - interval '1 second', now() + interval '1 day')`,
    );
    expect(await (await send('died')).json()).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
  });
});
