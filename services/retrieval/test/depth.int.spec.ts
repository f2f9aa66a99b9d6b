import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { ScriptedUpstream, answering, type SeenRequest } from '../../generation/test/scripted-upstream.js';
import { writeTinyCrossEncoder } from '../../embedding/test/tiny-cross-encoder.js';
import { describeAnswersOverHttp } from './answer-over-http.suite.js';
import { RetrievalMesh, type Found } from './retrieval-mesh.js';
import { saying, taskOf, writing } from './scripted-writer.js';

const documents = new URL('../../../../shared/documents/', import.meta.url);
const texts = ({ results }: Pick<Found, 'results'>): string[] => results.map(({ source }) => source!.text);

const tides = 'Tides follow the moon. They rise twice a day.';
const tidesAgain = 'Tides follow the moon! They rise twice a day.';
const bees = 'Honey bees dance to tell each other where flowers are.';
const glaciers = 'Glaciers move under their own weight.';

let mesh: RetrievalMesh;
let upstream: ScriptedUpstream;
let manual: string;

beforeAll(async () => {
  upstream = await ScriptedUpstream.start();
  mesh = await RetrievalMesh.start({
    CACHE_TTL_SECONDS: '0',
    APP_LLM_BACKEND: 'openai',
    LM_MODEL: 'scripted',
    OPENAI_BASE_URL: upstream.url,
    LLM_PRICES: 'scripted=1000/1000',
  });
  await mesh.createCollection('tuned', { mode: 'lexical', topK: 1 });
  await mesh.createCollection('mistuned', { fusion: 'of-a-later-release' });
  for (const text of [tides, tidesAgain, bees, glaciers]) await mesh.upload(text);
  for (const text of [tides, tidesAgain]) await mesh.upload(text, { collection: 'tuned' });
  const file = await readFile(new URL('fastify-Server.md', documents));
  manual = await mesh.upload(file, { fileName: 'fastify-Server.md', collection: 'manuals' });
});
afterAll(async () => {
  await mesh?.stop();
  await upstream?.close();
});

describe('without a language model', () => {
  it('fuses by reciprocal ranks when asked', async () => {
    const request = { query: 'What do tides follow?', fusion: 'rrf', explain: true };
    const { results } = await mesh.search(request);
    expect(results[0]!.source!.text).toMatch(/^Tides follow the moon/);
    const { denseRank, lexicalRank, source } = results[0]!;
    const shares = [denseRank, lexicalRank].map((rank) => (rank === undefined ? 0 : 61 / (60 + rank)));
    expect(source!.score).toBeCloseTo((shares[0]! + shares[1]!) / 2, 9);
  });

  it('passes over what repeats a better result, and says so', async () => {
    const request = { query: 'What do tides follow, and bees?', topK: 2, explain: true };
    expect(texts(await mesh.search(request)).filter((text) => text.startsWith('Tides'))).toHaveLength(2);
    const { results, dropped } = await mesh.search({ ...request, mmr: 0.3 });
    expect(texts({ results }).filter((text) => text.startsWith('Tides'))).toHaveLength(1);
    expect(dropped.map(({ reason }) => reason)).toContain('mmr');
  });

  it('explains places and absences', async () => {
    const request = { query: 'honey bees dance', topK: 1, minScore: 0.05, rerank: true, explain: true };
    const { results, dropped } = await mesh.search(request);
    expect(results[0]).toMatchObject({ lexicalRank: 1, fusedScore: expect.any(Number), rerankScore: 1 });
    expect(results).toHaveLength(1);
    expect(dropped.length).toBe(3);
    for (const { reason, score } of dropped) expect(reason).toBe(score < 0.05 ? 'min_score' : 'top_k');
    expect((await mesh.search({ ...request, explain: false })).dropped).toEqual([]);
  });

  it('names what was dropped as readers know it, also far down', async () => {
    const sightings = Array.from(
      { length: 140 },
      (_, day) => `Heron ${day} of the marsh was seen by lake ${day * 7}.\n\n`,
    );
    const header = { collection: 'sightings', chunkSize: 32, chunkOverlap: 0 };
    const ids = await Promise.all([0, 1, 2, 3].map((part) => mesh.upload(sightings.slice(part * 35).join(''), header)));
    const request = { query: 'Which heron was seen by lake 77?', collection: 'sightings', fusion: 'rrf', topK: 1 };
    const { dropped } = await mesh.search({ ...request, explain: true });
    expect(dropped.map(({ id }) => id).filter((id) => !ids.some((document) => id.startsWith(document)))).toEqual([]);
    expect(dropped).toHaveLength(100);
  });

  it('gives the section a hit stands in, as a slice of the document', async () => {
    const request = { query: 'bodyLimit', collection: 'manuals', mode: 'lexical', topK: 5 };
    const chunks = await mesh.search(request);
    const sections = await mesh.search({ ...request, granularity: 'parent' });
    const canonical = await mesh.canonicalText(manual);
    expect(sections.degraded).toEqual([]);
    const wider: string[] = [];
    for (const { source } of sections.results) {
      expect(canonical.slice(source!.start, source!.end)).toBe(source!.text);
      expect(source!.text.length).toBeLessThanOrEqual(8_000);
    }
    for (const { source } of chunks.results) {
      const within = sections.results.filter(
        ({ source: section }) => section!.start <= source!.start && section!.end >= source!.end,
      );
      expect(within).toHaveLength(1);
      if (within[0]!.source!.text.length > source!.text.length) wider.push(source!.id);
    }
    expect(wider).not.toEqual([]);
  });

  it('searches as the collection says where the request says nothing', async () => {
    const request = { query: 'What do tides follow?', collection: 'tuned' };
    const { results, timings } = await mesh.search(request);
    expect(results).toHaveLength(1);
    expect(timings.embed_query_ms).toBe(0);
    const own = await mesh.search({ ...request, mode: 'dense', topK: 2 });
    expect(own.results).toHaveLength(2);
    expect(own.timings.embed_query_ms).toBeGreaterThan(0);
    expect((await mesh.search({ query: 'tides', collection: 'mistuned' })).degraded).toEqual(['defaults']);
  });

  it('takes a lexical score without a limit where the collection searches by words', async () => {
    const request = { query: 'What do tides follow?', collection: 'tuned' };
    expect((await mesh.search({ ...request, minScore: 0.1 })).results).toHaveLength(1);
    expect((await mesh.search({ ...request, minScore: 400 })).results).toEqual([]);
    await expect(mesh.search({ ...request, mode: 'dense', minScore: 400 })).rejects.toThrow(/min_score/);
  });
});

describe('with a language model', () => {
  it('searches paraphrases too', async () => {
    const request = { query: 'Who moves under a burden?', mode: 'lexical', topK: 3 };
    const questions = ['What do glaciers do?', 'honey bees'];
    upstream.plays(writing({ paraphrase: saying({ questions }) }));
    const { results, degraded } = await mesh.search({ ...request, multiQuery: true, explain: true });
    expect(degraded).toEqual([]);
    expect(texts({ results })).toEqual(expect.arrayContaining([glaciers, bees]));
    // Only the paraphrase has a word of it.
    expect(results.find(({ source }) => source!.text === bees)).toMatchObject({ lexicalRank: 1 });
    expect(texts(await mesh.search(request))).not.toContain(bees);
  });

  it('finds nothing that fits the question less than asked, however well it fits with paraphrases', async () => {
    const request = { query: 'Who moves under a burden?', mode: 'dense', topK: 3 };
    const [best] = (await mesh.search(request)).results;
    const minScore = (1 + best!.source!.score) / 2;
    upstream.plays(writing({ paraphrase: saying({ questions: ['What do glaciers do?', 'honey bees'] }) }));
    const { results, degraded } = await mesh.search({ ...request, minScore, multiQuery: true });
    expect(degraded).toEqual([]);
    expect(texts({ results })).toEqual([]);
  });

  it('searches with an imagined answer (HyDE)', async () => {
    upstream.plays(writing({ hypothesise: saying({ passage: bees }) }));
    const request = { query: 'Insects?', mode: 'dense', topK: 1 };
    const { results, degraded } = await mesh.search({ ...request, hyde: true });
    expect(degraded).toEqual([]);
    expect(texts({ results })).toEqual([bees]);
    expect(upstream.seen.map(taskOf)).toEqual(['hypothesise']);
  });

  it('drops what does not support an answer', async () => {
    upstream.plays(writing({ grade: saying({ relevant: [2] }) }));
    const request = { query: 'What do tides follow?', topK: 2 };
    const before = texts(await mesh.search(request));
    const { results, dropped, supported } = await mesh.search({ ...request, selfCheck: true, explain: true });
    expect(texts({ results })).toEqual([before[1]]);
    expect(dropped.map(({ reason }) => reason)).toContain('self_check');
    expect(supported).toBe(true);
  });

  it('keeps what it had no room to have judged behind what supports an answer', async () => {
    upstream.plays(writing({ grade: saying({ relevant: [2] }) }));
    const request = { query: 'server options', collection: 'manuals', mode: 'lexical', topK: 100 };
    const found = texts(await mesh.search(request));
    const checked = texts(await mesh.search({ ...request, selfCheck: true }));
    const prompt = upstream.seen.at(-1)!.body.messages.at(-1)!.content;
    const judged = prompt.match(/<passage\b/g)!.length;
    expect(judged).toBeGreaterThan(2);
    expect(found.slice(0, judged).join('').length).toBeLessThanOrEqual(24_000);
    expect(found.slice(judged)).not.toEqual([]);
    expect(checked).toEqual([found[1], ...found.slice(judged)]);
  });

  it('searches once more in other words when nothing supports an answer, and only once', async () => {
    let grades = 0;
    const script = { paraphrase: saying({ questions: ['honey bees'] }) };
    const second = {
      ...script,
      grade: (request: SeenRequest) => saying({ relevant: (grades += 1) === 1 ? [] : [1] })(request),
    };
    upstream.plays(writing(second));
    const request = { query: 'moon', mode: 'lexical', topK: 1, selfCheck: true };
    const found = await mesh.search(request);
    expect(texts(found)).toEqual([bees]);
    expect(found.supported).toBe(true);
    upstream.plays(writing({ ...script, grade: saying({ relevant: [] }) }));
    const nothing = await mesh.search(request);
    expect(texts(nothing)[0]).toMatch(/^Tides follow the moon/);
    expect(nothing.supported).toBe(false);
    expect(upstream.seen.map(taskOf)).toEqual(['grade', 'paraphrase', 'grade']);
  });

  it('searches a follow-up as what it means, and answers what was asked', async () => {
    const script = { answer: answering('They dance [1].'), condense: saying({ question: 'What do honey bees do?' }) };
    upstream.plays(writing(script));
    const conversation = `c-${Date.now()}`;
    const ask = (query: string) => mesh.query({ query, mode: 'lexical', topK: 1 }, undefined, [], conversation);
    const first = await ask('Tell me of honey bees.');
    expect(first.done).toMatchObject({ conversationId: conversation, degraded: [], fallbackUsed: false });
    expect(first.done.usage).toMatchObject({ promptTokens: 100, completionTokens: 20, cost: expect.closeTo(0.12, 6) });
    const second = await ask('And they?');
    expect(texts(second)).toEqual([bees]);
    expect(second.done.timings.condense_ms).toBeGreaterThan(0);
    const asked = upstream.seen.findLast((request) => taskOf(request) === 'answer')!;
    expect(asked.body.messages.at(-1)!.content).toContain('And they?');
  });

  it('lets a conversation remember nothing of a document that goes between its search and its answer', async () => {
    const otters = await mesh.upload('Otters sleep hand in hand.', { collection: 'rivers' });
    const request = { query: 'How do otters sleep?', collection: 'rivers', topK: 1 };
    const script = { answer: answering('Hand in hand [1].') };
    upstream.plays(writing(script));
    await mesh.query(request, undefined, [], 'before');
    expect(await mesh.remembered('before')).toEqual(['Hand in hand [1].']);
    const gone = Promise.withResolvers<void>();
    const grade = (seen: SeenRequest) => gone.promise.then(() => saying({ relevant: [1] })(seen));
    upstream.plays(writing({ ...script, grade }));
    const late = mesh.query({ ...request, selfCheck: true }, undefined, [], 'late');
    await eventually('its sources are judged', () => upstream.seen.some((seen) => taskOf(seen) === 'grade'));
    await mesh.delete(otters);
    await eventually('it is heard of', async () => (await mesh.remembered('before')).join() === '');
    gone.resolve();
    expect((await late).text).toBe('Hand in hand [1].');
    expect(await mesh.remembered('late')).toEqual(['']);
  });

  it('says whether the sources support the answer', async () => {
    const script = { answer: answering('They sing [1].'), grade: saying({ relevant: [1] }) };
    const ask = () => mesh.query({ query: 'What do honey bees do?', topK: 1, selfCheck: true });
    upstream.plays(writing({ ...script, verify: saying({ supported: false }) }));
    expect((await ask()).done).toMatchObject({ supported: false, degraded: [] });
    upstream.plays(writing({ ...script, verify: saying({ supported: true }) }));
    expect((await ask()).done.supported).toBe(true);
    upstream.plays(writing(script));
    const unsaid = await ask();
    expect(unsaid.done.supported).toBeUndefined();
    expect(unsaid.done.degraded).toEqual(['self_check']);
  });

  it('goes on without what the model does not do, and names it', async () => {
    upstream.plays(writing({}));
    const all = { query: 'What do tides follow?', multiQuery: true, hyde: true, selfCheck: true };
    const { results, degraded, supported } = await mesh.search(all);
    expect(results.length).toBeGreaterThan(0);
    expect([...degraded].sort()).toEqual(['hyde', 'multi_query', 'self_check']);
    expect(supported).toBeUndefined();
  });

  it('keeps the fused order when the cross-encoder is not there', async () => {
    const request = { query: 'honey bees dance', topK: 1 };
    const plain = await mesh.search(request);
    await mesh.halt('retrieval');
    await mesh.run('retrieval', { APP_RERANK_BACKEND: 'cross-encoder' });
    const again = () => mesh.search({ ...request, rerank: true }).catch(() => null);
    const { results, degraded } = await eventually('it answers', again);
    expect(degraded).toEqual(['rerank']);
    expect(texts({ results })).toEqual(texts(plain));
  });

  it('orders by what the cross-encoder says of each passage', async () => {
    const own = join(mesh.folder, 'models');
    await writeTinyCrossEncoder(join(own, 'tiny-judge'), { weight: 3, honey: -2 });
    await mesh.run('model', { RAGMESH_MODELS_DIR: own, MODEL_CACHE_DIR: join(own, '.hub') });
    await mesh.halt('embedding');
    await mesh.run('embedding', { RERANK_MODEL: 'tiny-judge' });
    const request = { query: 'honey bees dance', rerank: true, explain: true };
    const whole = async () => {
      const found = await mesh.search(request);
      return found.degraded.length === 0 && found;
    };
    const { results } = await eventually('the model judges', whole);
    expect(texts({ results })[0]).toBe(glaciers);
    expect(texts({ results }).at(-1)).toBe(bees);
    expect(results[0]!.rerankScore).toBeCloseTo(1 / (1 + Math.exp(-3)), 4);
    expect(results[0]!.rerankScore).toBe(results[0]!.source!.score);
    expect(results.at(-1)!.lexicalRank).toBe(1);
  });
});

describeAnswersOverHttp(() => ({ mesh, upstream, manual }));
