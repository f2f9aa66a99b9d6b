import { describe, expect, it } from '@jest/globals';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { ENDLESS } from './chat-upstream.js';
import type { GuardedMesh, Json, Reply } from './two-tenants.js';

/** Of a mesh that hashes words. */
const EMBEDDING = 'hash@1';

/** Quotas in tokens and of single keys, on a running mesh with a language model. */
export function describeTokenQuotas(mesh: () => GuardedMesh): void {
  const post = (key: string, path: string, body: Json): Promise<Reply> =>
    mesh().as(key)({ method: 'POST', path, body });
  const get = async (key: string, path: string): Promise<Json> => (await mesh().as(key)({ method: 'GET', path })).json;
  const limit = (key: string, id: string, body: Json): Promise<Reply> =>
    mesh().as(key)({ method: 'PUT', path: `/v1/admin/keys/${id}/quota`, body });
  /** A tenant with a document to ask about, its administrator, and a reader. */
  const tenant = async (name: string) => {
    const admin = await mesh().makeKey({ name, tenant: name, roles: ['admin', 'operator'] });
    const reader = await mesh().makeKey({ name, tenant: name, roles: ['reader'] });
    await post(admin.key, '/v1/documents', { id: 'paper', text: 'The notice period is three months.' });
    expect(await get(admin.key, '/v1/documents/paper?wait=60')).toMatchObject({ status: 'ready' });
    return { admin, reader, usage: () => get(admin.key, `/v1/admin/keys/${reader.id}/quota`) };
  };
  const question = { query: 'How long is the notice period?' };
  const spentIn = (quota: Json): number => (quota['tokens_per_day'] as { used: number }).used;

  describe('a quota in tokens', () => {
    it('counts what the model read and wrote, and ends what spends tokens when it is used up', async () => {
      const { admin, reader, usage } = await tenant('tokens');
      const { json } = await post(reader.key, '/v1/query', question);
      const { prompt_tokens: prompt, completion_tokens: completion } = json['usage'] as Record<string, number>;
      expect(prompt).toBeGreaterThan(0);
      expect(spentIn(await usage())).toBe(prompt! + completion!);
      await limit(admin.key, reader.id, { requests_per_minute: null, tokens_per_day: prompt! + completion! });
      for (const [path, body] of [
        ['/v1/query', question],
        ['/v1/query', { ...question, stream: true }],
        ['/query/stream', question],
        ['/api/v1/query', question],
        ['/v1/questions', { document_id: 'paper', count: 1 }],
      ] as const) {
        const refused = await post(reader.key, path, body);
        expect({ path, status: refused.status }).toEqual({ path, status: 429 });
        expect(refused.text).toContain('QUOTA.TOKENS_EXCEEDED');
      }
      for (const [path, body] of [
        ['/v1/embeddings', { model: EMBEDDING, input: ['x'] }],
        ['/v1/chat/completions', { model: 'ragmesh', messages: [{ role: 'user', content: question.query }] }],
      ] as const)
        expect((await post(reader.key, path, body)).json).toMatchObject({ error: { type: 'rate_limit_error' } });
      expect((await post(reader.key, '/v1/search', question)).status).toBe(200); // spends none
      expect((await post(admin.key, '/v1/query', question)).status).toBe(200); // has a quota of its own
    });

    it('counts every call of a model once: for searches that need one, beside answers, and not for answers that are known', async () => {
      const { admin, reader, usage } = await tenant('steps');
      const called = { hyde: 129, condense: 129, answer: 129 }; // what the model says of any call, be it of use or not
      const spent: number[] = [];
      const ask = async (path: string, body: Json): Promise<Reply> => {
        const before = spentIn(await usage());
        const reply = await post(reader.key, path, body);
        spent.push(spentIn(await usage()) - before);
        return reply;
      };
      const wide = { ...question, hyde: true };
      /** Asks twice, anew when the index changed in between: what is found meanwhile is not kept. */
      const askTwice = (path: string, body: Json): Promise<Reply> =>
        withinAttempts(
          3,
          async (number) => {
            if (number > 1) spent.splice(-2);
            const asked = { ...body, query: `${question.query} ${'Really?'.repeat(number)}` };
            await ask(path, asked);
            return ask(path, asked);
          },
          () => spent.at(-1) === 0,
        );
      const isKept = async () => (await post(admin.key, '/v1/query', question)).json['cached'] === true;
      await eventually('the answer is kept', isKept);
      await ask('/v1/search', question);
      await askTwice('/v1/search', { hyde: true });
      await ask('/v1/query', { ...question, query: 'And the notice period?', hyde: true });
      expect((await askTwice('/v1/query', {})).json).toMatchObject({ cached: true });
      await ask('/v1/query', { ...question, conversation_id: 'talk' });
      await ask('/v1/query', { ...question, conversation_id: 'talk' });
      const { hyde, condense, answer } = called;
      expect(spent).toEqual([0, hyde, 0, hyde + answer, answer, 0, answer, condense + answer]);

      await limit(admin.key, reader.id, { requests_per_minute: null, tokens_per_day: 1 });
      const refused = await post(reader.key, '/v1/search', { ...wide, top_k: 3 });
      expect(refused.json).toMatchObject({ status: 429, code: 'QUOTA.TOKENS_EXCEEDED' });
      expect((await post(reader.key, '/v1/search', { ...question, top_k: 3 })).status).toBe(200);
    });

    it('counts what a search asks a model for because its collection wants it, and does without once it is used up', async () => {
      const { admin, reader, usage } = await tenant('wishes');
      const body = { defaults: { hyde: true } };
      await mesh().as(admin.key)({ method: 'PATCH', path: '/v1/collections/default', body });
      await eventually('a search is charged', async () => {
        await post(reader.key, '/v1/search', { ...question, top_k: 4 });
        return spentIn(await usage()) > 0;
      });
      const spent = spentIn(await usage());
      await limit(admin.key, reader.id, { requests_per_minute: null, tokens_per_day: 1 });
      const frugal = await post(reader.key, '/v1/search', { ...question, top_k: 5 });
      expect(frugal).toMatchObject({ status: 200, json: { degraded: ['hyde'] } });
      expect(spentIn(await usage())).toBe(spent);
    });

    it('counts answers that are made ahead, and has none made once it is used up', async () => {
      const { admin } = await tenant('ahead');
      const spent = async (): Promise<number> => spentIn(await get(admin.key, `/v1/admin/keys/${admin.id}/quota`));
      const warm = (query: string, answers = true): Promise<Reply> =>
        post(admin.key, '/v1/admin/cache/warm', { queries: [query], answers });
      expect((await warm(question.query)).status).toBe(200);
      expect(await spent()).toBe(129);
      await limit(admin.key, admin.id, { requests_per_minute: null, tokens_per_day: 129 });
      for (const answers of [true, false])
        // a search may spend some, too, when its collection wants it
        expect((await warm('And who may end it?', answers)).json).toMatchObject({
          status: 429,
          code: 'QUOTA.TOKENS_EXCEEDED',
        });
      expect(await spent()).toBe(129);
    });

    it('counts what embedding used, for the tenant, too', async () => {
      const { admin, reader, usage } = await tenant('vectors');
      const body = { model: EMBEDDING, input: ['The notice period is three months.', 'It pays crowns.'] };
      const { total_tokens: total } = (await post(reader.key, '/v1/embeddings', body)).json['usage'] as Json;
      expect(total).toBeGreaterThan(0);
      expect(spentIn(await usage())).toBe(total);
      expect(spentIn(await get(admin.key, '/v1/admin/quotas'))).toBe(total);
      await mesh().as(admin.key)({
        method: 'PUT',
        path: '/v1/admin/quotas',
        body: { requests_per_minute: null, tokens_per_day: 1 },
      });
      expect((await post(admin.key, '/v1/query', question)).json).toMatchObject({
        code: 'QUOTA.TOKENS_EXCEEDED',
        limit: 1,
      });
    });

    it('is charged to who leaves before the end, too', async () => {
      const { reader, usage } = await tenant('leavers');
      const leaving = new AbortController();
      const answer = await fetch(`${mesh().url}/v1/query`, {
        method: 'POST',
        headers: { authorization: `Bearer ${reader.key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query: `${question.query} ${ENDLESS}`, stream: true }),
        signal: leaving.signal,
      });
      await answer.body!.getReader().read();
      leaving.abort();
      await eventually('what was written is charged', async () => spentIn(await usage()) > 0);
    });
  });

  describe('the quota of one key', () => {
    it('holds for it alone', async () => {
      const admin = await mesh().makeKey({ name: 'a', tenant: 'single', roles: ['admin'] });
      const [one, two] = [
        await mesh().makeKey({ name: 'one', tenant: 'single', roles: ['reader'] }),
        await mesh().makeKey({ name: 'two', tenant: 'single', roles: ['reader'] }),
      ];
      const shown = await limit(admin.key, one.id, { requests_per_minute: 2, tokens_per_day: null });
      expect(shown.json).toMatchObject({ key: one.id, requests_per_minute: { set: 2, limit: 2 } });
      const ask = async (key: string): Promise<number> =>
        (await mesh().as(key)({ method: 'GET', path: '/v1/documents' })).status;
      expect([await ask(one.key), await ask(one.key), await ask(one.key)]).toEqual([200, 200, 429]);
      expect(await ask(two.key)).toBe(200);
      const unknown = await limit(admin.key, '0123456789abcdef', { requests_per_minute: 1, tokens_per_day: 1 });
      expect(unknown.json).toMatchObject({ status: 404, code: 'KEY.NOT_FOUND' });
    });
  });
}
