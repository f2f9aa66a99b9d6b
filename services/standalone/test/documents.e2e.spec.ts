import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

const folder = '../shared/documents';
const rows = readFileSync(join(folder, 'MANIFEST.tsv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'));
const files = rows.map((columns) => ({ file: columns[0]!, kind: columns.at(-2)!, expected: columns.at(-1)! }));

/** First word of an expected failure → the code a caller sees. */
const codes: Readonly<Record<string, string>> = {
  ENCRYPTED: 'DOCUMENT.ENCRYPTED',
  NO_TEXT: 'DOCUMENT.NO_TEXT',
  CORRUPT: 'DOCUMENT.CORRUPT',
};
const flat = (text: string): string => text.replace(/\s+/g, ' ');

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

async function upload(file: string) {
  const { status, body } = await mesh.api.uploadFile(file, readFileSync(join(folder, file)));
  expect(status).toBe(202);
  return mesh.api.terminal(body['id'] as string, 120_000);
}

const textOf = async (id: string): Promise<string> =>
  (await fetch(`${mesh.api.url}/v1/documents/${id}/content?as=text`)).text();

describe('real files', () => {
  it.each(files.filter(({ kind }) => kind !== 'ERROR'))('$file becomes text', async ({ file, kind, expected }) => {
    const document = await upload(file);
    expect(document.error).toBeNull();
    const text = flat(await textOf(document.id));
    expect(kind === 'TEXT-NFKC' ? text.normalize('NFKC') : text).toContain(flat(expected));
  });

  it.each(files.filter(({ kind }) => kind === 'ERROR'))(
    '$file fails with a reason a person understands',
    async ({ file, expected }) => {
      const document = await upload(file);
      expect(document.status).toBe('failed');
      expect(document.error!.code).toBe(codes[expected.split(':')[0]!]);
      expect(document.error!.message).toMatch(/^[A-Z].*\.$/s);
    },
  );

  it('is searchable whole, however large the chunks it was sent in', async () => {
    const chunks = Array.from({ length: 20 }, (_, number) => ({
      text: `${`chunk${number} `.repeat(11_000)}`.slice(0, 99_999),
    }));
    const { status, body } = await mesh.api.call('POST', '/v1/documents', { id: 'large-chunks', chunks });
    expect(status).toBe(202);
    expect(await mesh.api.terminal(body['id'] as string, 120_000)).toMatchObject({ status: 'ready', chunks: 20 });
    const path = '/v1/documents/large-chunks/chunks';
    const { body: first } = await mesh.api.call('GET', `${path}?limit=8`);
    const page = await mesh.api.call('GET', `${path}?limit=3&cursor=${first['next_cursor'] as string}`);
    const listed = page.body['data'] as { id: string; text: string }[];
    expect(listed.map(({ text }) => text.split(' ', 1)[0])).toEqual(['chunk8', 'chunk9', 'chunk10']);
  });

  it('is cited by offsets that reproduce the quote', async () => {
    const question = { query: 'Who founded Microsoft and when?', top_k: 5 };
    const { status, body } = await mesh.api.call('POST', '/v1/query', question);
    expect(status).toBe(200);
    const citations = body['citations'] as { document_id: string; start: number; end: number; text: string }[];
    expect(citations.length).toBeGreaterThan(0);
    for (const { document_id: id, start, end, text } of citations)
      expect((await textOf(id)).slice(start, end)).toBe(text);
  });

  it('keeps every promise over all of them', async () => {
    expect(await mesh.oracle.violations()).toEqual([]);
  });
});
