import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startStandalone, type Standalone } from '@ragmesh/service-standalone';
import { eventually } from '@ragmesh/testing';
import { describeIndex } from './compat-index.suite.js';
import { nested, rawForm } from './raw-form.js';

let mesh: Standalone;
let dataDir: string;

const lighthouse = 'The lighthouse of Alvöra was built in 1873. The lighthouse of Alvöra stands 41 metres tall.';
const documents = [
  { id: 'lighthouse', text: lighthouse, metadata: { year: 1873 } },
  {
    id: 'ferry',
    text: 'The ferry to Alvöra leaves the northern pier at nine every morning.',
    metadata: { year: 2020 },
  },
];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-compat-'));
  const environment = { RAGMESH_DATA_DIR: dataDir, SERVER_PORT: '0', APP_EMBEDDINGS_BACKEND: 'mock' };
  mesh = await startStandalone({ environment });
});
afterAll(async () => {
  await mesh?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const birds = ['Heron', 'Curlew', 'Osprey', 'Plover', 'Wagtail', 'Bittern', 'Dunlin', 'Egret'];
type Json = Record<string, unknown>;

const post = (path: string, body: unknown): Promise<Response> =>
  fetch(`${mesh.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
const read = async (response: Promise<Response>): Promise<Json> => (await (await response).json()) as Json;
const keys = (value: unknown): string[] => Object.keys(value as Json).toSorted();
const dataOf = (stream: string): Json[] =>
  stream
    .trim()
    .split('\n\n')
    .map((block) => JSON.parse(block.replace(/^data: /, '')) as Json);

describeIndex(() => mesh.url, documents);

describe('POST /query', () => {
  const question = { query: 'How tall is the lighthouse of Alvöra?', top_k: 1, temperature: 0.2, rerank: false };

  it('has exactly the shape its clients know', async () => {
    const answer = await read(post('/query', { ...question, user: 'is left aside' }));
    expect(answer).toEqual({
      answer: expect.stringContaining('41'),
      sources: [
        {
          id: expect.any(String),
          text: lighthouse,
          content: lighthouse,
          score: expect.any(Number),
          metadata: expect.objectContaining({ year: 1873, document_id: 'lighthouse', version: 1, start: 0 }),
        },
      ],
      latency_ms: expect.any(Number),
      cache_hit: expect.any(Boolean),
      cached: answer['cache_hit'],
    });
  });

  it('tells whether its sources were known: not at first, once they are kept, and not of another question', async () => {
    const ask = (query: string): Promise<Json> => read(post('/query', { query, top_k: 1 }));
    expect(await ask('Who lit the lighthouse?')).toMatchObject({ cache_hit: false, cached: false });
    await eventually('the answer is kept', async () => {
      const answer = await ask('Who lit the lighthouse?');
      expect(answer['cached']).toBe(answer['cache_hit']);
      return answer['cache_hit'] === true;
    });
    expect(await ask('Why is a ferry slow?')).toMatchObject({ cache_hit: false, cached: false });
  });

  it('applies filters, and refuses an operator it does not know', async () => {
    const { sources } = (await read(post('/query', { query: 'Alvöra', filters: { year: { $lt: 1900 } } }))) as {
      sources: { metadata: Json }[];
    };
    expect(sources.map(({ metadata }) => metadata['document_id'])).toEqual(['lighthouse']);
    expect(await read(post('/query', { query: 'Alvöra', filters: { year: { $near: 1 } } }))).toMatchObject({
      status: 422,
      code: 'FILTER.UNKNOWN_OPERATOR',
    });
  });

  it.each(['/query/stream', '/query'])('streams sources, content and done at %s', async (path) => {
    const response = await post(path, { ...question, stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = dataOf(await response.text());
    expect(events[0]).toEqual({ type: 'sources', data: [{ id: expect.any(String), score: expect.any(Number) }] });
    expect(events.at(-1)).toEqual({ type: 'done' });
    const contents = events.slice(1, -1);
    for (const event of contents) expect(event).toEqual({ type: 'content', text: expect.any(String) });
    const { answer } = await read(post('/query', question));
    expect(contents.map(({ text }) => text).join('')).toBe(answer);
  });

  it('answers a question at fault with a problem, also where it streams', async () => {
    for (const path of ['/query', '/query/stream'])
      expect(await read(post(path, { query: ' ' }))).toMatchObject({ status: 422, field: 'query' });
  });
});

describe('/api/v1', () => {
  it('answers null with all sources while no language model is configured', async () => {
    for (const body of [{ question: 'How tall is the lighthouse?' }, { query: 'How tall is the lighthouse?' }]) {
      const answer = await read(post('/api/v1/query', { ...body, top_k: 1 }));
      expect(answer).toEqual({
        answer: null,
        sources: [
          {
            id: expect.any(String),
            document_id: 'lighthouse',
            text: lighthouse,
            score: expect.any(Number),
            page: null,
            metadata: { year: 1873 },
          },
        ],
        citations: [],
        timings: expect.objectContaining({ total_ms: expect.any(Number) }),
        degraded: [],
        incomplete: false,
        request_id: expect.any(String),
      });
    }
    const nowhere = { question: 'How tall is the lighthouse?', collection: 'empty' };
    expect(await read(post('/api/v1/query', nowhere))).toMatchObject({ answer: null, sources: [] });
    expect(await read(post('/api/v1/query', {}))).toMatchObject({ status: 422, field: 'question' });
  });

  it.each(['/api/v1/documents', '/documents'])('takes documents at %s and tells their status', async (path) => {
    const accepted = await post(path, { text: `A document sent to ${path}.` });
    expect(accepted.status).toBe(202);
    const body = (await accepted.json()) as Json & { id: string };
    expect(keys(body)).toEqual(['deduplicated', 'id', 'operation', 'status', 'version']);
    await fetch(`${mesh.url}/v1/documents/${body.id}?wait=60`);
    const document = await read(fetch(`${mesh.url}/api/v1/documents/${body.id}`));
    expect(document).toMatchObject({ id: body.id, status: 'ready', error: null, chunks: 1 });
  });

  it('takes files, repeats its answer under the same key, and knows no deleted document', async () => {
    const send = (): Promise<Response> => {
      const form = new FormData();
      form.append('file', new Blob(['The content of a file.']), 'file.txt');
      return fetch(`${mesh.url}/documents`, { method: 'POST', body: form, headers: { 'idempotency-key': 'file' } });
    };
    const first = (await read(send())) as { id: string };
    expect(await read(send())).toEqual(first);
    await fetch(`${mesh.url}/v1/documents/${first.id}?wait=60`);
    await fetch(`${mesh.url}/v1/documents/${first.id}`, { method: 'DELETE' });
    const gone = await fetch(`${mesh.url}/api/v1/documents/${first.id}`);
    expect(await gone.json()).toMatchObject({ status: 404, code: 'DOCUMENT.NOT_FOUND' });
  });
});

describe('POST /api/chat/generate-questions', () => {
  it.each(['practice', 'quiz'])('gives a %s set as text', async (mode) => {
    const answer = await read(post('/api/chat/generate-questions', { topic: 'lighthouse of Alvöra', count: 2, mode }));
    expect(answer).toEqual({ response: expect.stringMatching(/^1\. /), timestamp: expect.any(String) });
    expect(new Date(answer['timestamp'] as string).toISOString()).toBe(answer['timestamp']);
    expect(answer['response']).toMatch(/\n {3}Answer: .*\n.*Source: /s);
  });

  it('needs neither topic nor count: 25 questions', async () => {
    const built = (n: number): string =>
      `Harbour ${n} of Alvöra was built by ${birds[n % birds.length]} in ${1800 + n}.`;
    const text = Array.from({ length: 60 }, (_, n) => built(n)).join(' ');
    expect(await read(post('/index', { documents: [{ id: 'harbours', text }] }))).toMatchObject({ indexed: 1 });
    const answer = await read(post('/api/chat/generate-questions', {}));
    expect(keys(answer)).toEqual(['response', 'timestamp']);
    expect(answer['response']).toMatch(/^25\. /m);
    expect(answer['response']).not.toMatch(/^26\. /m);
  });

  it('words its failures as its clients know them, malformed bodies too', async () => {
    const refused = await post('/api/chat/generate-questions', { mode: 'exam' });
    expect(refused.status).toBe(422);
    const failure = { status: 'error', fallback_used: false, retry_after: null };
    expect(await refused.json()).toEqual({ ...failure, message: expect.stringContaining('mode') });
    const malformed = await fetch(`${mesh.url}/api/chat/generate-questions`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(malformed.status).toBe(400);
    expect(await malformed.json()).toEqual({ ...failure, message: expect.any(String) });
  });
});

describe('POST /reindex', () => {
  it('begins a new generation and gives its operation', async () => {
    const response = await post('/reindex', { collection: 'default' });
    expect(response.status).toBe(202);
    const operation = { id: expect.any(String), href: expect.stringMatching(/^\/v1\/operations\//) };
    expect(await response.json()).toEqual({ collection: 'default', status: expect.any(String), operation });
  });
});

describe('metadata as deep as a form may hold it', () => {
  it.each([
    ['objects', nested(31)],
    ['lists', `{"a":${'['.repeat(30)}1${']'.repeat(30)}}`],
  ])('comes back with every answer that holds its document: %s', async (collection, metadata) => {
    await post('/v1/collections', { id: collection });
    const fields = { collection, metadata };
    const { id } = await read(
      fetch(
        `${mesh.url}/v1/documents`,
        rawForm(...Object.entries(fields).map(([name, value]) => [`name="${name}"`, value] as const), [
          'name="file"; filename="a.txt"',
          'The depth of the sea.',
        ]),
      ),
    );
    expect(await read(fetch(`${mesh.url}/v1/documents/${String(id)}?wait=60`))).toMatchObject({ status: 'ready' });
    for (const path of ['/v1/search', '/v1/query']) {
      const answer = await post(path, { query: 'How deep is the sea?', collection });
      expect([path, answer.status, await answer.text()]).toEqual([
        path,
        200,
        expect.stringContaining(metadata.slice(1, -1)),
      ]);
    }
  });
});

describe('health', () => {
  it('tells how the parts are', async () => {
    const health = await eventually('all is well', async () => {
      const response = await fetch(`${mesh.url}/health`);
      const told = (await response.json()) as Json;
      return told['status'] === 'healthy' && { code: response.status, ...told };
    });
    expect(health).toEqual({
      code: 200,
      status: 'healthy',
      components: {
        vector_db: 'up',
        cache: 'up',
        embedder: 'up',
        document_store: 'up',
        catalogue: 'up',
        models: 'up',
        database: 'up',
      },
      services: { retrieval: 'up', generation: 'up' },
      uptime_seconds: expect.any(Number),
    });
  });

  it.each(['/health/live', '/health/ready'])('answers the probe %s', async (path) => {
    const response = await fetch(`${mesh.url}${path}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok' });
  });
});
