import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

interface Result {
  readonly document_id: string;
  readonly version: number;
  readonly text: string;
}

let dataDir: string;
let mesh: Mesh;
beforeAll(async () => {
  dataDir = await newDataDir();
  mesh = await startMesh(dataDir);
});
afterAll(async () => {
  await mesh.close();
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

describe('updates', () => {
  it('show one version at every moment, never none and never two', async () => {
    const { body } = await mesh.api.upload({ id: 'almanac', text: edition(0), collection: 'updates' });
    await mesh.api.terminal(body['id'] as string);
    let updating = true;
    const seen: Set<number>[] = [];
    const reader = (async () => {
      for (let turn = 0; updating; turn += 1) {
        const results = await search('edition lighthouses', 'updates', turn % 2 ? 'hybrid' : 'lexical');
        seen.push(new Set(results.map(({ version }) => version)));
      }
    })();
    for (let number = 1; number <= 20; number += 1) {
      expect(
        (await mesh.api.call('PUT', '/v1/documents/almanac', { text: edition(number), collection: 'updates' })).status,
      ).toBe(202);
      await mesh.api.terminal('almanac');
    }
    updating = false;
    await reader;
    expect(seen.filter(({ size }) => size !== 1)).toEqual([]);
    expect((await search('edition', 'updates'))[0]!.text).toContain('Edition 20');
  }, 120_000);

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

describe('retry', () => {
  it('takes a cancelled document up again', async () => {
    const { body } = await mesh.api.upload({ text: edition(77), collection: 'again' });
    const id = body['id'] as string;
    const cancelled = await mesh.api.call('POST', `/v1/documents/${id}/cancel`);
    const first = await mesh.api.terminal(id);
    if (cancelled.status < 300) {
      expect(first).toMatchObject({ status: 'failed', error: { code: 'DOCUMENT.CANCELLED' } });
      expect((await mesh.api.call('POST', `/v1/documents/${id}/retry`)).status).toBe(202);
    }
    expect((await mesh.api.terminal(id)).status).toBe('ready');
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
