import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RagmeshError } from '@ragmesh/errors';
import { inContext, renderMetrics } from '@ragmesh/observability';
import { OpenAiEmbedder, type OpenAiEmbedderOptions } from './openai-embedder.js';

interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: { model: string; input: string[]; dimensions?: number; encoding_format: string };
}
/** One act of the upstream; when the script is over it answers properly. */
type Act = (response: ServerResponse, asked: Asked) => void;

let server: Server;
let asked: Asked[];
let script: Act[];
const open: OpenAiEmbedder[] = [];

const json =
  (value: unknown): Act =>
  (response) =>
    void response.end(JSON.stringify(value));
const status =
  (code: number, headers: Record<string, string> = {}): Act =>
  (response) =>
    void response.writeHead(code, headers).end('{"error":{}}');
/** The vector of a text is its length and its first character; given in reverse order, as the protocol allows. */
const proper: Act = (response, { body }) => {
  const data = body.input.map((text, index) => ({ index, embedding: [text.length, text.charCodeAt(0)] }));
  response.end(JSON.stringify({ object: 'list', data: data.toReversed(), usage: { total_tokens: 1 } }));
};
const refuses =
  (word: string): Act =>
  (response, request) =>
    request.body.input.includes(word) ? status(400)(response, request) : proper(response, request);

beforeEach(async () => {
  [asked, script] = [[], []];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked['body'];
      const one = { url: request.url!, headers: request.headers, body };
      asked.push(one);
      (script.shift() ?? proper)(response, one);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(async () => {
  for (const embedder of open.splice(0)) await embedder.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const host = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;
function embedderOf(options: Partial<OpenAiEmbedderOptions> = {}): OpenAiEmbedder {
  const baseUrl = `http://${host()}/v1/`;
  const embedder = new OpenAiEmbedder({ baseUrl, model: 'text-small', batchSize: 3, timeoutMs: 60_000, ...options });
  open.push(embedder);
  return embedder;
}

/** Tokens counted for a tenant so far. */
async function tokensOf(tenant: string): Promise<number> {
  const { body } = await renderMetrics();
  const sample = new RegExp(`^ragmesh_embedding_tokens_total\\{tenant="${tenant}",model="text-small"\\} (\\S+)$`, 'm');
  return Number(sample.exec(body)?.[1]);
}

describe('a provider that speaks the OpenAI API', () => {
  it('gets batches with the key, and its vectors come back in order and with length 1', async () => {
    const embedder = embedderOf({ apiKey: 'sk-spec' });
    const vectors = await embedder.embed(['a', 'bb', 'ccc', 'dddd', '']);
    expect(asked.map(({ body }) => body.input.length).toSorted()).toEqual([2, 3]);
    expect(asked[0]).toMatchObject({ url: '/v1/embeddings', headers: { authorization: 'Bearer sk-spec' } });
    expect(asked[0]!.body).toMatchObject({ model: 'text-small', encoding_format: 'float' });
    const norm = Math.hypot(3, 99);
    expect(vectors[2]![0]).toBeCloseTo(3 / norm, 6);
    expect(vectors.every((vector) => Math.abs(Math.hypot(...vector) - 1) < 1e-5)).toBe(true);
    expect(embedder).toMatchObject({ model: `text-small@${host()}`, dimension: 2 });
  });

  it('is asked for the length configured, which is part of the name of the model', async () => {
    const embedder = embedderOf({ dimensions: 2 });
    await embedder.embed(['a']);
    expect(asked[0]!.body.dimensions).toBe(2);
    expect(asked[0]!.headers.authorization).toBeUndefined();
    expect(embedder).toMatchObject({ model: `text-small@${host()}-2`, dimension: 2 });
  });

  it.each<[string, Act, Partial<OpenAiEmbedderOptions>?]>([
    ['asks to slow down', status(429, { 'retry-after': '0' })],
    ['fails', status(500)],
    ['is overloaded', status(503)],
    ['closes the connection', (response) => void response.destroy()],
    ['does not answer in time', () => undefined, { timeoutMs: 5_000 }],
    ['gives half an answer', (response) => void response.end('{"data": [{"emb')],
    ['gives no vectors', json({ data: 'none' })],
    ['gives one vector too few', json({ data: [] })],
    ['gives one text two vectors', json({ data: [{ index: 5, embedding: [1] }] })],
  ])('is asked again when it %s', async (_case, act, options = {}) => {
    script = [act];
    expect(await embedderOf(options).embed(['a'])).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  it.each<[string, Act, object]>([
    ['keeps failing', status(500), { code: 'EMBEDDING.UNAVAILABLE', details: { status: 500 } }],
    [
      'refuses the key',
      status(401),
      { code: 'EMBEDDING.UNAVAILABLE', message: expect.stringContaining('OPENAI_API_KEY') },
    ],
    ['does not know the model', status(404), { code: 'EMBEDDING.UNAVAILABLE', details: { status: 404 } }],
    ['talks garbage', json([]), { code: 'EMBEDDING.UNAVAILABLE', details: { reason: 'garbage' } }],
    ['gives a vector without direction', json({ data: [{ embedding: [0, 0] }] }), { code: 'EMBEDDING.INVALID_VECTOR' }],
    ['gives no numbers', json({ data: [{ embedding: ['x', null] }] }), { code: 'EMBEDDING.INVALID_VECTOR' }],
    ['redirects elsewhere', status(302, { location: 'http://127.0.0.1:1/' }), { code: 'EMBEDDING.UNAVAILABLE' }],
  ])('is given up when it %s', async (_case, act, error) => {
    script = [act, act, act];
    await expect(embedderOf().embed(['a'])).rejects.toMatchObject(error);
  });

  it('may give a useless vector first, and its length is not what is asked of later ones', async () => {
    script = [json({ data: [{ embedding: [0, 0, 0] }] })];
    const embedder = embedderOf();
    await expect(embedder.embed(['a'])).rejects.toMatchObject({ code: 'EMBEDDING.INVALID_VECTOR' });
    expect(await embedder.embed(['a'])).toHaveLength(1);
    expect(embedder.dimension).toBe(2);
  });

  it('has its tokens counted by tenant and model: those it names, else about as many', async () => {
    const embed = (tenant: string, texts: readonly string[]) =>
      inContext({ requestId: 'r', tenant, subject: 'ada' }, () => embedderOf().embed(texts));
    await embed('acme', ['a', 'b']);
    await embed('acme', ['c', 'd']);
    await embed('other', ['tides follow the moon']);
    expect([await tokensOf('acme'), await tokensOf('other')]).toEqual([2, 1]);
    script = [json({ data: [{ embedding: [1] }] })];
    await embed('unnamed', ['tides follow the moon']);
    expect(await tokensOf('unnamed')).toBeGreaterThan(3);
    expect(await tokensOf('unnamed')).toBeLessThan(12);
  });

  it('is not bothered before the time it asks for', async () => {
    script = [status(429, { 'retry-after': '60' })];
    await expect(embedderOf().embed(['a'])).rejects.toMatchObject({ details: { retryAfter: 60 } });
    expect(asked).toHaveLength(1);
  });

  it('may say that time as a date', async () => {
    script = [status(503, { 'retry-after': new Date(Date.now() + 90_000).toUTCString() })];
    const refused: unknown = await embedderOf()
      .embed(['a'])
      .catch((error: unknown) => error);
    const { retryAfter } = (refused as RagmeshError).details;
    expect(retryAfter).toBeGreaterThan(60);
    expect(retryAfter).toBeLessThanOrEqual(90);
    expect(asked).toHaveLength(1);
  });

  it('refuses one text, which is named, and gives the others to other callers', async () => {
    script = Array.from({ length: 20 }, () => refuses('bad'));
    const refusal = { code: 'EMBEDDING.TEXT_REFUSED', details: { index: 4, status: 400 } };
    await expect(embedderOf().embed(['a', 'b', 'c', 'd', 'bad', 'f'])).rejects.toMatchObject(refusal);
    expect(await embedderOf().embed(['a', 'f'])).toHaveLength(2);
  });

  it.each([400, 413, 422])('that refuses every text (%i) is to blame, and no text is', async (code) => {
    script = Array.from({ length: 20 }, () => status(code));
    const refusal = embedderOf({ dimensions: 7 }).embed(['a', 'b', 'c']);
    await expect(refusal).rejects.toMatchObject({
      code: 'EMBEDDING.UNAVAILABLE',
      message: expect.stringMatching(new RegExp(`refuses every text \\(${code}\\).*EMBEDDING_MODEL.*VECTOR_DIM`)),
      details: { status: code, reason: 'refused' },
    });
  });

  it('is asked for nothing more once a text of the call has failed', async () => {
    script = Array.from({ length: 20 }, () => refuses('bad'));
    const texts = ['bad', ...Array.from({ length: 40 }, (_, at) => `fine ${at}`)];
    const embedder = embedderOf({ batchSize: 1 });
    await expect(embedder.embed(texts)).rejects.toMatchObject({ code: 'EMBEDDING.TEXT_REFUSED' });
    for (let at = 0; at < 20; at++) await embedder.embed([`later ${at}`]);
    const fine = asked.filter(({ body }) => body.input[0]!.startsWith('fine'));
    expect(fine.length).toBeLessThan(20);
  });

  it('is left alone for a while when it fails all the time, and another model is not', async () => {
    const embedder = embedderOf();
    script = Array.from({ length: 100 }, () => status(500));
    for (let at = 0; at < 3; at++) await embedder.embed(['a']).catch(() => undefined);
    const calls = asked.length;
    await expect(embedder.embed(['a'])).rejects.toMatchObject({
      ...{ code: 'EMBEDDING.UNAVAILABLE', details: { reason: 'DEPENDENCY.UNAVAILABLE' } },
    });
    expect(asked).toHaveLength(calls);
    script = [];
    expect(await embedderOf({ model: 'text-large' }).embed(['a'])).toHaveLength(1);
  });

  it('is broken off when the caller goes away', async () => {
    script = [() => controller.abort()];
    const controller = new AbortController();
    const call = embedderOf({ timeoutMs: 10_000 }).embed(['a'], { signal: controller.signal });
    await expect(call).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    expect(asked).toHaveLength(1);
  });
});
