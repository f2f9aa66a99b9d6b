import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';

let edge: EdgeAlone;
beforeAll(async () => void (edge = await startEdgeAlone()));
afterAll(() => edge.close());

const post = (path: string, body: unknown, type = 'application/json'): Promise<Response> =>
  fetch(`${edge.url}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': type },
  });

describe('routes for existing clients, with nothing behind the edge', () => {
  it('say in bounded time that the mesh is unhealthy, and which parts are there', async () => {
    const started = performance.now();
    const response = await fetch(`${edge.url}/health`);
    expect(response.status).toBe(503);
    const down = ['vector_db', 'cache', 'embedder', 'document_store', 'catalogue', 'models'];
    expect(await response.json()).toEqual({
      status: 'unhealthy',
      components: { ...Object.fromEntries(down.map((name) => [name, 'down'])), database: 'up' },
      services: { retrieval: 'down', generation: 'down' },
      uptime_seconds: expect.any(Number),
    });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect((await fetch(`${edge.url}/health/live`)).status).toBe(200);
    expect((await fetch(`${edge.url}/health/ready`)).status).toBe(200);
  });

  it('answer an outage in the words of their clients, with the time to come again', async () => {
    const chat = await post('/v1/chat/completions', { model: 'ragmesh', messages: [{ role: 'user', content: 'a' }] });
    expect([chat.status, chat.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await chat.json()).toEqual({
      error: { message: expect.any(String), type: 'server_error', param: null, code: 'DEPENDENCY.UNAVAILABLE' },
    });
    const stream = await post('/v1/chat/completions', {
      model: 'ragmesh',
      messages: [{ role: 'user', content: 'a' }],
      stream: true,
    });
    expect([stream.status, stream.headers.get('content-type')]).toEqual([503, 'application/json; charset=utf-8']);
    const questions = await post('/api/chat/generate-questions', { topic: 'a' });
    expect(questions.status).toBe(503);
    expect(await questions.json()).toEqual({
      status: 'error',
      message: expect.any(String),
      fallback_used: false,
      retry_after: 1,
    });
    for (const path of ['/query', '/query/stream', '/api/v1/query'])
      expect(await (await post(path, { query: 'a' })).json()).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect(await (await post('/reindex', {})).json()).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    const index = await post('/index', { documents: [{ text: 'a' }, { text: 'b' }] });
    expect([index.status, await index.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'DEPENDENCY.UNAVAILABLE' }),
    ]);
  });

  it('refuse what they cannot read', async () => {
    const narrow = await post('/reindex', { chunk_size: 100, overlap: 50 });
    expect([narrow.status, await narrow.json()]).toEqual([422, expect.objectContaining({ field: 'overlap' })]);
    const form = new FormData();
    form.append('file', new Blob(['a']));
    const stray = await fetch(`${edge.url}/index`, { method: 'POST', body: form });
    expect(stray.status).toBe(415);
    const tooLarge = await post('/v1/embeddings', { model: 'a', input: 'x'.repeat(17 * 1024 * 1024) });
    expect([tooLarge.status, await tooLarge.json()]).toEqual([
      413,
      { error: expect.objectContaining({ code: 'REQUEST.TOO_LARGE', type: 'invalid_request_error', param: 'body' }) },
    ]);
    const plain = await post('/v1/chat/completions', 'hello', 'text/plain');
    expect([plain.status, await plain.json()]).toEqual([
      415,
      { error: expect.objectContaining({ code: 'REQUEST.UNSUPPORTED_MEDIA_TYPE' }) },
    ]);
  });

  it('give metrics as OpenMetrics to who asks for it', async () => {
    const open = await fetch(`${edge.url}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
    expect(open.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect((await open.text()).endsWith('# EOF\n')).toBe(true);
  });
});
