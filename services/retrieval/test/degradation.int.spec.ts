import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { startPgvector } from '../../vector/test/pgvector-server.js';
import { startQdrant } from '../../vector/test/qdrant-server.js';
import { ScriptedUpstream, refusing, type SeenRequest } from '../../generation/test/scripted-upstream.js';
import { RetrievalMesh } from './retrieval-mesh.js';
import { saying, writing } from './scripted-writer.js';

describe('a search whose dependencies fail', () => {
  let mesh: RetrievalMesh;
  let url: string;

  /** How the mesh says it is, and with which status. */
  async function health(): Promise<{ readonly code: number; readonly components: Record<string, string> }> {
    const response = await fetch(`${url}/health`);
    return { code: response.status, ...((await response.json()) as { components: Record<string, string> }) };
  }

  beforeAll(async () => {
    mesh = await RetrievalMesh.start({ CACHE_TTL_SECONDS: '0' }); // what was found before would hide the failure
    await mesh.upload('Tides follow the moon. They rise twice a day.');
    await mesh.run('model', { MODEL_CACHE_DIR: join(mesh.folder, '.hub') });
    url = await mesh.runEdge();
  });
  afterAll(() => mesh?.stop());

  const query = 'What do tides follow?';

  it('goes on with words alone where a collection was built with another model', async () => {
    await mesh.index('0199a8f0-0000-7000-8000-000000000001', 'old', 'Tides follow the moon.', [1, 0, 0]);
    const { results, degraded } = await mesh.search({ query, collection: 'old' });
    expect(results[0]!.source!.text).toBe('Tides follow the moon.');
    expect(degraded).toEqual(['dense']);
    const reranked = await mesh.search({ query, collection: 'old', rerank: true });
    expect([reranked.results[0]!.source!.score, reranked.degraded]).toEqual([1, ['dense', 'rerank']]);
    const dense = mesh.search({ query, collection: 'old', mode: 'dense' });
    await expect(dense).rejects.toMatchObject({ code: 'VECTOR.DIMENSION_MISMATCH' });
    // As long as those of the model that embeds now, and just as meaningless beside them.
    const vector = Array.from({ length: 384 }, (_, at) => (at === 0 ? 1 : 0));
    await mesh.index('0199a8f0-0000-7000-8000-000000000002', 'older', 'Tides follow the moon.', vector);
    expect((await mesh.search({ query, collection: 'older' })).degraded).toEqual(['dense']);
  });

  it('reranks when asked, and names the missing reranker when there is none', async () => {
    expect((await mesh.search({ query, rerank: true })).degraded).toEqual([]);
    // One leg alone leaves nothing to blend.
    for (const mode of ['lexical', 'dense'])
      expect((await mesh.search({ query, mode, rerank: true })).degraded).toEqual(['rerank']);
    const words = { query, mode: 'lexical', rerank: true, minScore: 1e6 };
    expect((await mesh.search(words)).results).toEqual([]); // compared with BM25, which may go beyond 1
    await mesh.halt('retrieval');
    await mesh.run('retrieval', { APP_RERANK_BACKEND: 'disabled' });
    const reranked = () => mesh.search({ query, rerank: true }).catch(() => null);
    const { results, degraded } = await eventually('it answers', reranked);
    expect(results).toHaveLength(1);
    expect(degraded).toEqual(['rerank']);
  });

  it('goes on with words alone without the embedding service, and says so; a dense search is refused', async () => {
    await mesh.halt('embedding');
    const { results, degraded } = await mesh.search({ query });
    expect(degraded).toEqual(['dense']);
    expect(results[0]!.source).toMatchObject({ score: 1, text: expect.stringContaining('moon') });
    const { citations, done } = await mesh.query({ query });
    expect(done.degraded).toEqual(['dense']);
    expect(citations[0]!.text).toBe('Tides follow the moon.');
    expect((await mesh.search({ query, mode: 'lexical' })).degraded).toEqual([]);
    await expect(mesh.search({ query, mode: 'dense' })).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
    const others = {
      vector_db: 'up',
      document_store: 'up',
      catalogue: 'up',
      models: 'up',
      database: 'up',
      cache: 'up',
    };
    const told = await eventually('it alone is seen to be away', async () => {
      const seen = await health();
      const isAlone = Object.values(seen.components).filter((state) => state !== 'up').length === 1;
      return isAlone && seen.components['embedder'] === 'down' && seen;
    });
    expect(told).toMatchObject({
      code: 200,
      status: 'degraded',
      components: { embedder: 'down', ...others },
    });
  });

  it('refuses at once while the circuit is open, and finds everything again once the service is back', async () => {
    for (let call = 0; call < 6; call += 1) await mesh.search({ query });
    const refused: number[] = [];
    for (let call = 0; call < 5; call += 1) {
      const { timings, degraded } = await mesh.search({ query });
      expect(degraded).toEqual(['dense']);
      refused.push(timings.embed_query_ms!);
    }
    refused.sort((a, b) => a - b);
    // The middle one: a busy machine may hold up one or the other, though not two for long.
    expect(refused[2]).toBeLessThan(20);
    expect(refused.at(-2)).toBeLessThan(2_000);
    await mesh.run('embedding');
    await eventually('both legs answer', async () => (await mesh.search({ query })).degraded.length === 0);
    const healthy = { code: 200, status: 'healthy', components: { embedder: 'up' } };
    const now = await eventually('it is seen', async () => {
      const seen = await health();
      return seen.components['embedder'] === 'up' && seen;
    });
    expect(now).toMatchObject(healthy);
  });

  it('gives no answer without the index: ungrounded is worse than unavailable', async () => {
    await mesh.halt('vector');
    const unavailable = {
      code: 'VECTOR.UNAVAILABLE',
      details: expect.objectContaining({ retryAfter: expect.any(Number) }),
    };
    await expect(mesh.search({ query })).rejects.toMatchObject(unavailable);
    await expect(mesh.query({ query })).rejects.toMatchObject(unavailable);
    await mesh.run('vector');
    await eventually('the index answers', () => mesh.search({ query }).catch(() => null));
  });

  describeWithServer('pgvector', 'but for which there is a second store', () => {
    let [qdrant, server]: [Awaited<ReturnType<typeof startQdrant>>?, Awaited<ReturnType<typeof startPgvector>>?] = [];
    beforeAll(async () => {
      [qdrant, server] = [await startQdrant(), await startPgvector()];
      await mesh.halt('vector');
      const DATABASE_URL = server.server.url('ragmesh_vector');
      await mesh.run('vector', { ...qdrant.env, VECTOR_SECOND_STORE: 'pgvector', DATABASE_URL });
      await mesh.upload('Tides follow the moon, as the second store knows.');
    });
    afterAll(async () => {
      await mesh.halt('vector');
      await mesh.run('vector');
      await eventually('the index answers', () => mesh.search({ query }).catch(() => null));
      await server?.stop();
      await qdrant?.stop();
    });

    it('is answered from there, in each mode, and says so', async () => {
      const modes = ['hybrid', 'dense', 'lexical'];
      const ask = (mode: string) => mesh.search({ query, mode }).catch(() => null);
      for (const mode of modes) {
        const healthy = await eventually('the store answers', () => ask(mode));
        expect([mode, healthy.results.length, healthy.degraded]).toEqual([mode, 1, []]);
      }
      qdrant!.proxy.down(true);
      for (const mode of modes) {
        const { results, degraded } = await eventually('the second store answers', () => ask(mode));
        expect([mode, results.length, degraded]).toEqual([mode, 1, ['store']]);
      }
      const { citations, done } = await mesh.query({ query });
      expect([citations.length, done.degraded]).toEqual([1, ['store']]);
      const told = await eventually('the store is seen to be away', async () => {
        const seen = await health();
        return seen.components['vector_db'] === 'down' && seen;
      });
      expect(told).toMatchObject({ code: 200, status: 'degraded' });
    });
  });

  it('shows the sources, then fails as GENERATION.UNAVAILABLE, without the generation service', async () => {
    await mesh.halt('generation');
    const seen: string[] = [];
    await expect(mesh.query({ query, mode: 'lexical' }, undefined, seen)).rejects.toMatchObject({
      code: 'GENERATION.UNAVAILABLE',
    });
    expect(seen).toEqual(['sources']);
    await mesh.run('generation');
    const answer = await eventually('an answer', () => mesh.query({ query, mode: 'lexical' }).catch(() => null));
    expect(answer.citations).not.toEqual([]);
  });

  it('quotes its sources while the language model fails, and tells operators once it is no longer asked', async () => {
    const upstream = await ScriptedUpstream.start();
    try {
      upstream.plays(refusing(500));
      await mesh.halt('generation');
      await mesh.run('generation', { APP_LLM_BACKEND: 'openai', LM_MODEL: 'scripted', OPENAI_BASE_URL: upstream.url });
      const isFailed = async () => (await mesh.query({ query }).catch(() => null))?.done.degraded.includes('llm');
      await eventually('the model fails', isFailed);
      const down = await eventually('the model counts as down', async () => {
        await isFailed();
        const now = await health();
        return now.components['llm'] === 'down' && now;
      });
      const services = { retrieval: 'up', generation: 'up' };
      expect(down).toMatchObject({ code: 200, status: 'degraded', services });
      await mesh.halt('generation');
      await mesh.run('generation');
    } finally {
      await upstream.close();
    }
  });

  it('stops when its caller goes away or gives too little time', async () => {
    await expect(mesh.search({ query }, 'default', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'REQUEST.CANCELLED',
    });
    await expect(mesh.search({ query }, 'default', { deadlineMs: 0 })).rejects.toMatchObject({
      code: 'REQUEST.TIMEOUT',
    });
  });

  it('keeps what it found when the second search of a self-check fails, and says so', async () => {
    const upstream = await ScriptedUpstream.start();
    try {
      const paraphrase = async (request: SeenRequest): Promise<void> => {
        await mesh.halt('vector');
        saying({ questions: ['What do oceans follow?'] })(request);
      };
      upstream.plays(writing({ grade: saying({ relevant: [] }), paraphrase }));
      await mesh.halt('generation');
      await mesh.run('generation', { APP_LLM_BACKEND: 'openai', LM_MODEL: 'scripted', OPENAI_BASE_URL: upstream.url });
      const checked = { query, mode: 'lexical', selfCheck: true };
      const { results, degraded, supported } = await mesh.search(checked);
      expect([results.length, degraded, supported]).toEqual([1, ['self_check'], false]);
    } finally {
      await upstream.close();
    }
  });
});
