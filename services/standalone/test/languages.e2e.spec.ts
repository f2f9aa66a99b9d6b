import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

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

const texts = [
  { language: 'Chinese', text: '长城是中国古代的伟大防御工程。', query: '防御工程' },
  { language: 'Japanese', text: '富士山は日本で一番高い山です。', query: '一番高い山' },
  { language: 'Thai', text: 'กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย', query: 'เมืองหลวง' },
  { language: 'Arabic', text: 'القاهرة هي عاصمة جمهورية مصر العربية.', query: 'عاصمة مصر' },
];

describe('the lexical leg', () => {
  it('finds text of languages without spaces, and only that', async () => {
    for (const { language, text } of texts) {
      const { body } = await mesh.api.upload({ id: language, text, collection: 'languages' });
      await mesh.api.terminal(body['id'] as string);
    }
    for (const { language, query } of texts) {
      const { body } = await mesh.api.call('POST', '/v1/search', { query, collection: 'languages', mode: 'lexical' });
      const results = body['results'] as { document_id: string }[];
      expect(results.map(({ document_id: id }) => id)).toEqual([language]);
    }
  });
});

describe('an id of any script', () => {
  it('may be as long as ids may be, and leads to its document and what is done to it', async () => {
    const id = '長'.repeat(200);
    const { status, body } = await mesh.api.upload({ id, text: 'It has a long name.' });
    expect(status).toBe(202);
    expect(await mesh.api.terminal(id)).toMatchObject({ id, status: 'ready' });
    const { href } = body['operation'] as { href: string };
    expect(await mesh.api.call('GET', href)).toMatchObject({ status: 200, body: { done: true } });
  });
});
