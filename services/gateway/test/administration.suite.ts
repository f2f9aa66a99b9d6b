import { describe, expect, it } from '@jest/globals';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { pieces, question, read, type Json, type OpenAiMesh } from './openai-mesh.js';

/** Usage, models and caches as operators see them, after others have asked. */
export function describeAdministration(mesh: () => OpenAiMesh): void {
  describe('administration', () => {
    it('reports what the language model was used for, by model and in total', async () => {
      const report = await read(fetch(`${mesh().url}/v1/admin/usage?group_by=tenant,model`));
      const [row] = report['data'] as Record<string, number>[];
      expect(row).toMatchObject({ tenant: 'default', model: 'stub' });
      const { requests = 0, prompt_tokens: prompt = 0, completion_tokens: completion = 0 } = row!;
      expect(requests).toBeGreaterThan(2); // equal questions are answered once
      const whole = requests - mesh().upstream.abandoned(); // what was abandoned is charged by estimate
      expect(prompt).toBeGreaterThan(120 * whole);
      expect(completion).toBeGreaterThan(9 * whole);
      expect(row!['total_tokens']).toBe(prompt + completion);
      expect(row!['cost']).toBeCloseTo((prompt + 10 * completion) / 1e6, 9);
      expect(report).toMatchObject({
        group_by: ['tenant', 'model'],
        since: expect.any(String),
        until: expect.any(String),
      });
      const all = await read(fetch(`${mesh().url}/v1/admin/usage?group_by=tenant,model&all_tenants=true`));
      expect(all['data']).toContainEqual(row);
      const before = await read(fetch(`${mesh().url}/v1/admin/usage?until=2020-01-01T00:00:00Z`));
      expect(before).toMatchObject({ data: [], since: '2019-12-02T00:00:00.000Z', group_by: ['model'] });
    });

    it.each([
      ['since=yesterday', 'since'],
      ['since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 'since'],
      ['group_by=document', 'group_by[0]'],
      ['from=now', 'from'],
    ])('refuses usage of %s', async (query, field) => {
      expect(await read(fetch(`${mesh().url}/v1/admin/usage?${query}`))).toMatchObject({ status: 422, field });
    });

    it('lists, loads, pins and unloads models, and refuses one that is not here', async () => {
      const model = 'all-MiniLM-L6-v2';
      const tell = (what: string, body: unknown): Promise<Record<string, unknown>> =>
        read(mesh().post(`/v1/admin/models/${what}`, body));
      const { data } = (await read(fetch(`${mesh().url}/v1/admin/models`))) as { data: Record<string, unknown>[] };
      expect(data.map(({ name }) => name)).toContain(model);
      expect(await tell('load', { model })).toMatchObject({ name: model, dimension: 384, pinned: false });
      expect(await tell('pin', { model })).toMatchObject({ name: model, pinned: true });
      expect(await tell('unload', { model })).toMatchObject({ status: 409, code: 'MODEL.PINNED' });
      expect(await tell('pin', { model, pinned: false })).toMatchObject({ name: model, pinned: false });
      expect(await tell('unload', { model })).toMatchObject({ name: model, holders: 0 });
      expect(await tell('load', { model: 'nobody/knows-it' })).toMatchObject({ status: 503, code: 'MODEL.OFFLINE' });
      expect(await tell('unload', {})).toMatchObject({ status: 422, field: 'model' });
    });

    it('shows the language model in /health, whose answer older routes give, too', async () => {
      const health = await eventually('all is well', async () => {
        const told = await read(fetch(`${mesh().url}/health`));
        return told['status'] === 'healthy' && told;
      });
      expect(health).toMatchObject({ status: 'healthy', components: { llm: 'up', cache: 'up' } });
      const answer = await read(mesh().post('/api/v1/query', { question: question.content }));
      expect(answer).toMatchObject({ answer: pieces.join(''), citations: [{ index: 1 }], degraded: [] });
      const nowhere = { question: question.content, collection: 'empty' };
      expect(await read(mesh().post('/api/v1/query', nowhere))).toMatchObject({
        answer: expect.any(String),
        sources: [],
      });
    });

    it('warms and clears what is kept of searches', async () => {
      const warm = (): Promise<Json> =>
        read(mesh().post('/v1/admin/cache/warm', { queries: ['red buoy', 'lighthouse'] }));
      expect(await warm()).toEqual({ warmed: 2, known: 0, failed: 0 });
      const again = await eventually('both are known', async () => {
        const told = await warm();
        return told['known'] === 2 && told;
      });
      expect(again).toEqual({ warmed: 0, known: 2, failed: 0 });
      // A search that is made takes time for its question's vector.
      const embedMs = async (): Promise<unknown> => {
        const { timings } = await read(mesh().post('/v1/search', { query: 'red buoy' }));
        return (timings as Record<string, number>)['embed_query_ms'];
      };
      expect(await withinAttempts(3, embedMs, (ms) => ms === 0)).toBe(0);
      expect(await read(mesh().post('/v1/admin/cache/clear', {}))).toEqual({ cleared: true, collection: null });
      expect(await warm()).toMatchObject({ known: 0 });
      expect(await read(mesh().post('/v1/admin/cache/warm', { queries: [] }))).toMatchObject({
        status: 422,
        field: 'queries',
      });
    });

    it('clears the answers, too, that are kept for the time when every model fails', async () => {
      const { upstream, post } = mesh();
      const ask = () => read(post('/v1/query', { query: question.content }));
      const clear = () => read(post('/v1/admin/cache/clear', { collection: 'default' }));
      await clear();
      expect(await ask()).toMatchObject({ model: 'stub', degraded: [] });
      await clear();
      upstream.refuses = true;
      const answer = await ask().finally(() => (upstream.refuses = false));
      expect(answer).toMatchObject({ model: 'extractive', degraded: ['llm'] });
    });
  });
}
