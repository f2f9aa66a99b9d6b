import type { JsonObject } from '@bufbuild/protobuf';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { catalogue, decodePayload } from '@ragmesh/contracts';
import { eventually } from '@ragmesh/testing';
import { RetrievalMesh } from './retrieval-mesh.js';

const documents = new URL('../../../../shared/documents/', import.meta.url);

const texts = {
  whales: 'Blue whales are the largest animals on Earth. They eat krill, up to four tonnes a day.',
  bees: 'Honey bees dance to tell each other where flowers are. A hive holds up to 60,000 bees.',
  glaciers: 'Glaciers store about 69 percent of the fresh water of the world. They move under their own weight.',
};

describe('search and query', () => {
  let mesh: RetrievalMesh;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    mesh = await RetrievalMesh.start();
    for (const [name, text] of Object.entries(texts)) {
      ids.set(name, await mesh.upload(text, { title: name, metadata: { topic: name, size: text.length } }));
    }
    const file = await readFile(new URL('fastify-Server.md', documents));
    ids.set('manual', await mesh.upload(file, { fileName: 'fastify-Server.md', collection: 'manuals' }));
  });
  afterAll(() => mesh?.stop());

  it.each(['hybrid', 'dense', 'lexical'])(
    'finds the source of a question in %s mode, with every timing',
    async (mode) => {
      const { results, timings, degraded } = await mesh.search({
        query: 'How many bees live in a hive?',
        mode,
        topK: 2,
      });
      expect(results[0]!.source).toMatchObject({
        documentId: ids.get('bees'),
        version: 1n,
        text: texts.bees,
        start: 0,
      });
      expect(results.length).toBeLessThanOrEqual(2);
      expect(degraded).toEqual([]);
      const stages = ['embed_query_ms', 'vector_search_ms', 'lexical_search_ms', 'fuse_ms', 'rerank_ms', 'total_ms'];
      expect(Object.keys(timings).sort()).toEqual(stages.sort());
      expect(timings.embed_query_ms! > 0).toBe(mode !== 'lexical');
      expect(timings.lexical_search_ms! > 0).toBe(mode !== 'dense');
    },
  );

  it('answers with sources first, then quotes that are slices of the document, then what it took', async () => {
    const request = { query: 'How is the maximum body size limited?', collection: 'manuals', expand: true };
    const { order, results, text, citations, done } = await mesh.query(request);
    const canonical = await mesh.canonicalText(ids.get('manual')!);
    expect(order[0]).toBe('sources');
    expect(order.at(-1)).toBe('done');
    expect(citations.length).toBeGreaterThan(0);
    for (const { source } of results) expect(canonical.slice(source!.start, source!.end)).toBe(source!.text);
    for (const citation of citations) {
      expect(canonical.slice(citation.start, citation.end)).toBe(citation.text);
      expect(citation.index).toBe(citation.source + 1);
      expect(text).toContain(`[${citation.index}]`);
      const { start, end, documentId } = results[citation.source]!.source!;
      expect(documentId).toBe(citation.documentId);
      expect(citation.start >= start && citation.end <= end).toBe(true);
    }
    expect(done).toMatchObject({ model: 'extractive', cached: false, degraded: [], incomplete: false });
    expect(done.timings.llm_ms).toBeGreaterThanOrEqual(0);
    expect(done.timings.total_ms).toBeGreaterThanOrEqual(done.timings.llm_ms!);
  });

  it('says that the sources do not answer, without citations, when nothing was found', async () => {
    const { results, text, citations } = await mesh.query({ query: 'Who won?', collection: 'never-used' });
    expect(results).toEqual([]);
    expect(citations).toEqual([]);
    expect(text).toBe('The sources do not answer this question.');
  });

  it('widens results to their neighbours, as a slice of the document', async () => {
    const request = { query: 'bodyLimit', collection: 'manuals', mode: 'lexical', topK: 1 };
    const [plain] = (await mesh.search(request)).results;
    const [wide] = (await mesh.search({ ...request, expand: true })).results;
    const canonical = await mesh.canonicalText(ids.get('manual')!);
    expect(wide!.source!.text.length).toBeGreaterThan(plain!.source!.text.length);
    expect(canonical.slice(wide!.source!.start, wide!.source!.end)).toBe(wide!.source!.text);
  });

  it('finds what the filter lets through only, and explains scores when asked', async () => {
    const filters = { topic: { $in: ['whales', 'glaciers'] } };
    const { results } = await mesh.search({ query: 'honey bees', filters, explain: true });
    expect(results.map(({ source }) => source!.documentId)).not.toContain(ids.get('bees'));
    expect(results[0]!.denseScore).toEqual(expect.any(Number));
    const [unexplained] = (await mesh.search({ query: 'honey bees' })).results;
    expect(unexplained!.denseScore).toBeUndefined();
  });

  it('searches as the collection says by now, where nobody searched in it since that was changed', async () => {
    await mesh.createCollection('seldom', { mode: 'lexical', topK: 1 });
    for (const text of [texts.bees, `${texts.bees} So they say.`]) await mesh.upload(text, { collection: 'seldom' });
    const found = async () => (await mesh.search({ query: 'honey bees', collection: 'seldom' })).results.length;
    expect(await found()).toBe(1);
    await mesh.changeDefaults('seldom', { mode: 'lexical', topK: 2 });
    const time = performance.now();
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => time + 25_000);
    expect(await found().finally(() => clock.mockRestore())).toBe(2);
  });

  it('shows a tenant nothing of another', async () => {
    expect((await mesh.search({ query: texts.bees }, 'stranger')).results).toEqual([]);
  });

  it.each([
    ['an unknown operator', { filters: { topic: { $near: 1 } } }, 'FILTER.UNKNOWN_OPERATOR', /\$near/],
    ['an unknown mode', { mode: 'fuzzy' }, 'REQUEST.INVALID', /mode/],
    ['too many results', { topK: 1001 }, 'REQUEST.INVALID', /top_k .* 1000/],
    ['a weight above 1', { alpha: 1.5 }, 'REQUEST.INVALID', /alpha/],
    ['a score that is no number', { minScore: NaN }, 'REQUEST.INVALID', /min_score/],
    ['an empty question', { query: ' ' }, 'REQUEST.INVALID', /query/],
  ])('refuses %s, in search and query alike', async (_, fields, code, message) => {
    const request = { query: 'bees', ...fields };
    const refusal = expect.objectContaining({ code, message: expect.stringMatching(message) });
    await expect(mesh.search(request)).rejects.toEqual(refusal);
    await expect(mesh.query(request)).rejects.toEqual(refusal);
  });

  it('tells the bus what was searched and answered, without any text', async () => {
    const query = 'What do blue whales eat?';
    const { done } = await mesh.query({ query }, 'request-42');
    const eventOf = (topic: string) =>
      eventually(topic, () => mesh.published.find((record) => record.topic === topic && record.key === 'request-42'));
    const processed = decodePayload(catalogue.queryProcessed, (await eventOf('query.processed')).value);
    expect(processed).toMatchObject({ requestId: 'request-42', collection: 'default', mode: 'hybrid', results: 3 });
    expect(processed.totalMs).toBeCloseTo(done.timings.total_ms!, 1);
    for (const topic of ['retrieval.completed', 'generation.completed']) {
      const { value, headers } = await eventOf(topic);
      expect(headers['ce_tenant']).toBe('default');
      expect(Buffer.from(value).toString()).not.toMatch(/whale|krill/i);
    }
  });

  it.each(['hybrid', 'dense', 'lexical'])(
    'finds a document whose metadata nest as deep as an upload may: %s',
    async (mode) => {
      const metadata = Array.from({ length: 48 }).reduce<JsonObject>((inner) => ({ inner }), { innermost: true });
      const asked = { query: 'How deep is it?', collection: 'deep', mode };
      await mesh.upload('It is very deep.', { id: 'deep', collection: 'deep', metadata });
      const { results, degraded } = await mesh.search(asked);
      expect([results[0]!.source!.metadata, degraded]).toEqual([metadata, []]);
      expect((await mesh.query(asked)).results[0]!.source!.metadata).toEqual(metadata);
    },
  );
});
