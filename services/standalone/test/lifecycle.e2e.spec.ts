import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '@ragmesh/local-servers';
import { eventually } from '@ragmesh/testing';
import { EmbeddingProvider, type Trouble } from './embedding-provider.js';
import { describeKilledAnswers } from './killed-answers.suite.js';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';
import { giveUpABatch } from './operator-client.js';

interface Result {
  readonly document_id: string;
  readonly version: number;
  readonly text: string;
}

let dataDir: string;
let mesh: Mesh;
let provider: EmbeddingProvider;
/** Where pages may be fetched from. */
let pagesPort: number;
beforeAll(async () => {
  dataDir = await newDataDir();
  provider = await EmbeddingProvider.start();
  pagesPort = (await freePorts(1))[0]!;
  mesh = await startMesh(dataDir, {
    environment: {
      APP_EMBEDDINGS_BACKEND: 'openai',
      EMBEDDING_BASE_URL: provider.url,
      EGRESS_ALLOW: `127.0.0.1:${pagesPort}`,
    },
  });
});
afterAll(async () => {
  await mesh.close();
  await provider.close();
  await removeDataDir(dataDir);
});

const edition = (number: number): string => `Edition ${number} speaks of lighthouses. `.repeat(80);

async function search(query: string, collection: string, mode = 'lexical'): Promise<Result[]> {
  const { status, body } = await mesh.api.call('POST', '/v1/search', { query, collection, mode, top_k: 50 });
  expect(status).toBe(200);
  return body['results'] as Result[];
}

async function untilDone(href: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await mesh.api.call('GET', href);
    if (body['done']) return body;
  }
}

/** What a search at some moment of an update found, of one version or of several. */
interface Seen {
  readonly mode: string;
  readonly results: readonly Result[];
}

/** What is wrong with an answer: it has all chunks of one version, and each says of which edition it is. */
function faultsOf({ mode, results }: Seen, chunksOf: ReadonlyMap<number, number>): string[] {
  const versions = [...new Set(results.map(({ version }) => version))];
  if (versions.length !== 1) return [`${mode}: versions ${versions.join(' and ')} in one answer`];
  const [version] = versions as [number];
  const editions = new Set(results.flatMap(({ text }) => text.match(/(?<=Edition )\d+/g) ?? ['none']));
  const isWhole = results.length === chunksOf.get(version);
  return [
    ...(isWhole ? [] : [`${mode}: ${results.length} of ${chunksOf.get(version)} chunks of version ${version}`]),
    ...[...editions]
      .filter((edition) => edition !== `${version - 1}`)
      .map((edition) => `${mode}: edition ${edition} as version ${version}`),
  ];
}

async function chunksListed(id: string): Promise<number> {
  const { body } = await mesh.api.call('GET', `/v1/documents/${id}/chunks?limit=50`);
  expect(body['next_cursor']).toBeNull();
  return (body['data'] as unknown[]).length;
}

describe('what a provider of vectors charges', () => {
  it('is in the report of usage, for what an upload brought that was not known', async () => {
    const { body } = await mesh.api.upload({ text: 'Seals rest on the skerries at low tide.' });
    expect(await mesh.api.terminal(body['id'] as string)).toMatchObject({ status: 'ready' });
    const rows = async () => (await mesh.api.call('GET', '/v1/admin/usage')).body['data'] as Record<string, unknown>[];
    const spent = await eventually('it is reported', async () => {
      const found = await rows();
      return found.length > 0 ? found : undefined;
    });
    const [{ prompt_tokens: tokens }] = spent as [{ prompt_tokens: number }];
    expect(tokens).toBeGreaterThan(5);
    expect(spent).toEqual([
      expect.objectContaining({ model: 'all-MiniLM-L6-v2', requests: 1, total_tokens: tokens, cost: null }),
    ]);
  });
});

describe('updates', () => {
  it('show one version at every moment and all of it, never none and never two', async () => {
    const { body } = await mesh.api.upload({ id: 'almanac', text: edition(0), collection: 'updates' });
    await mesh.api.terminal(body['id'] as string);
    const chunksOf = new Map([[1, await chunksListed('almanac')]]);
    let updating = true;
    const seen: Seen[] = [];
    const reader = (async () => {
      for (let turn = 0; updating; turn += 1) {
        const mode = turn % 2 ? 'hybrid' : 'lexical';
        seen.push({ mode, results: await search('edition lighthouses', 'updates', mode) });
      }
    })();
    for (let number = 1; number <= 20; number += 1) {
      // Every other one is longer, so that the chunks of one are not as many as those of the next.
      const text = edition(number).repeat(1 + (number % 2));
      const { status } = await mesh.api.call('PUT', '/v1/documents/almanac', { text, collection: 'updates' });
      expect(status).toBe(202);
      await mesh.api.terminal('almanac');
      chunksOf.set(number + 1, await chunksListed('almanac'));
    }
    updating = false;
    await reader;
    expect(new Set(chunksOf.values()).size).toBeGreaterThan(1);
    expect(seen.flatMap((answer) => faultsOf(answer, chunksOf))).toEqual([]);
    expect((await search('edition', 'updates'))[0]!.text).toContain('Edition 20');
  });

  it('that fail leave what readers see', async () => {
    const { body } = await mesh.api.upload({
      id: 'stable',
      text: 'A stable sentence about granite.',
      collection: 'failing',
    });
    await mesh.api.terminal(body['id'] as string);
    await mesh.api.call('PUT', '/v1/documents/stable', { text: ' \n\t ', collection: 'failing' });
    expect(await mesh.api.terminal('stable')).toMatchObject({ status: 'failed', error: { code: 'DOCUMENT.EMPTY' } });
    expect((await search('granite', 'failing')).map(({ version }) => version)).toEqual([1]);
  });
});

describe('a text sent as JSON', () => {
  it.each([
    ['HTML', '<html><body><nav>menu</nav><p>', 'Terns fly &amp; rest. '],
    ['JSON', '{"words": "', 'terns, herons, '],
    ['CSV', 'bird,place,year\nheron,pond,2001\n', 'tern,sea,2002\n'],
    ['RTF', '{\\rtf1 ', 'Terns fly. '],
  ])('that looks like %s is kept as it is, long or short', async (format, head, words) => {
    for (const length of [64 * 1024, 64 * 1024 + 1]) {
      const end = format === 'JSON' ? '"}' : '';
      const text = head + words.repeat(length).slice(0, length - head.length - end.length) + end;
      expect(Buffer.byteLength(text)).toBe(length);
      const { body } = await mesh.api.upload({ text, collection: 'texts' });
      const id = body['id'] as string;
      expect(await mesh.api.terminal(id)).toMatchObject({ status: 'ready', error: null, media_type: 'text/plain' });
      const kept = await (await fetch(`${mesh.api.url}/v1/documents/${id}/content?as=text`)).text();
      expect(kept.slice(0, 100)).toBe(text.slice(0, 100));
      expect(kept === text).toBe(true);
    }
  });
});

describe('deletion', () => {
  it('leaves nothing and gives a receipt', async () => {
    const { body } = await mesh.api.upload({ text: 'Ephemeral words about mayflies.', collection: 'gone' });
    const id = body['id'] as string;
    await mesh.api.terminal(id);
    const deleted = await mesh.api.call('DELETE', `/v1/documents/${id}`);
    expect(deleted.status).toBe(202);
    const operation = await untilDone((deleted.body['operation'] as { href: string }).href);
    expect(operation).toMatchObject({ status: 'deleted', receipt: { points_removed: 1, chunks_removed: 1 } });
    expect(await search('mayflies', 'gone')).toEqual([]);
    expect((await mesh.api.call('GET', `/v1/documents/${id}`)).status).toBe(404);
    expect(await mesh.oracle.violations()).toEqual([]);
  });

  it('wins over an ingestion that runs', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { body } = await mesh.api.upload({ text: edition(1000 + round), collection: 'raced' });
      const deleted = await mesh.api.call('DELETE', `/v1/documents/${body['id'] as string}`);
      expect(await untilDone((deleted.body['operation'] as { href: string }).href)).toMatchObject({
        status: 'deleted',
      });
    }
    expect(await search('lighthouses', 'raced')).toEqual([]);
    expect(await mesh.oracle.violations()).toEqual([]);
  });
});

describe('duplicates', () => {
  const ids = (answers: { body: Record<string, unknown> }[]): Set<unknown> =>
    new Set(answers.map(({ body }) => body['id']));

  it('of the same bytes, twenty at once, are one document', async () => {
    const upload = { text: 'Twenty hands, one letter.', collection: 'twins' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => mesh.api.upload(upload)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
    expect(ids(answers).size).toBe(1);
    expect(answers.filter(({ body }) => body['deduplicated'] === false)).toHaveLength(1);
  });

  it('of one idempotency key, twenty at once, are one document', async () => {
    const headers = { 'idempotency-key': 'letter-1' };
    const upload = { text: 'A letter sent once.', collection: 'keys' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => mesh.api.upload(upload, headers)));
    expect(ids(answers).size).toBe(1);
    const other = await mesh.api.upload({ text: 'Another letter.', collection: 'keys' }, headers);
    expect(other).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY.KEY_REUSED' } });
  });
});

describeKilledAnswers(() => ({ mesh, pagesPort }));

/** Where the bytes of an upload lie. */
function blobOf(bytes: Uint8Array): string {
  const key = createHash('sha256').update(bytes).digest('hex');
  return join(dataDir, 'blobs', 'default', key.slice(0, 2), key);
}

describe('retry', () => {
  let trouble: Trouble | undefined;
  afterEach(() => trouble?.end());

  it('takes a document up again that was cancelled while its vectors were awaited', async () => {
    trouble = provider.hold('Edition 77');
    const { body } = await mesh.api.upload({ text: edition(77), collection: 'again' });
    const id = body['id'] as string;
    await trouble.met;
    expect((await mesh.api.call('POST', `/v1/documents/${id}/cancel`)).status).toBe(200);
    expect(await mesh.api.terminal(id)).toMatchObject({ status: 'failed', error: { code: 'DOCUMENT.CANCELLED' } });
    expect(await mesh.api.call('POST', `/v1/documents/${id}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'DOCUMENT.NOT_CANCELLABLE' },
    });
    trouble.end();
    expect((await mesh.api.call('POST', `/v1/documents/${id}/retry`)).status).toBe(202);
    expect((await mesh.api.terminal(id)).status).toBe('ready');
    expect(await mesh.oracle.violations()).toEqual([]);
  });

  it.each([
    ['embed', 'EMBEDDING.INVALID_VECTOR'],
    ['index', 'VECTOR.DIMENSION_MISMATCH'],
  ])('after a failure to %s goes on from there: the file is not read again', async (stage, code) => {
    const word = `Tern to ${stage}`;
    const file = Buffer.from(`<html><body><h1>${word}</h1><p>It flies from pole to pole.</p></body></html>`);
    trouble = stage === 'embed' ? provider.fail(word) : provider.hold(word);
    const { body } = await mesh.api.uploadFile(`${stage}.html`, file);
    const id = body['id'] as string;
    await trouble.met;
    if (stage === 'index') await giveUpABatch(mesh, id);
    expect(await mesh.api.terminal(id)).toMatchObject({ status: 'failed', error: { code } });
    trouble.end();
    // Whoever reads the file now fails.
    await rename(blobOf(file), `${dataDir}/aside`);
    expect((await mesh.api.call('POST', `/v1/documents/${id}/retry`)).status).toBe(202);
    expect(await mesh.api.terminal(id)).toMatchObject({ status: 'ready', version: 2, error: null });
    await rename(`${dataDir}/aside`, blobOf(file));
    expect((await search('pole', 'default')).map(({ document_id: found }) => found)).toContain(id);
    expect(await mesh.oracle.violations()).toEqual([]);
  });

  it('stays in its collection: a version for another one is refused at once, and told where it is', async () => {
    await mesh.api.upload({ id: 'at-home', text: 'The badger is at home.' });
    expect((await mesh.api.terminal('at-home')).status).toBe('ready');
    for (const [method, path] of [
      ['PUT', '/v1/documents/at-home'],
      ['POST', '/index'],
    ] as const) {
      const document = { id: 'at-home', text: 'The badger moves.', collection: 'elsewhere' };
      const { id: _, ...version } = document;
      const moved = { documents: [{ id: document.id, text: document.text }], collection: document.collection };
      const { status, body } = await mesh.api.call(method, path, method === 'PUT' ? version : moved);
      expect({ status, ...body }).toMatchObject({ status: 409, code: 'DOCUMENT.ID_TAKEN', field: 'collection' });
      expect(body['detail']).toContain('is in collection "default"');
    }
    expect(await mesh.api.terminal('at-home')).toMatchObject({ status: 'ready', version: 1 });
  });
});
