import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renderMetrics } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import { ScriptedUpstream, answering, cutting, type SeenRequest } from '../../generation/test/scripted-upstream.js';
import { describeFewerChunks } from './fewer-chunks.suite.js';
import { RetrievalMesh, type Answer, type SearchInit } from './retrieval-mesh.js';

const UPDATED = 'retrieval.evict-updated';
const REMOVED = 'retrieval.evict-removed';

let mesh: RetrievalMesh;
let upstream: ScriptedUpstream;

/** Answers with the sources it was shown, so that an answer tells what it was made from. */
const quoting = (request: SeenRequest): void => {
  const platform =
    /platform \d+/.exec(request.body.messages.map(({ content }) => content).join('\n'))?.[0] ?? 'nowhere';
  void answering(`It is at ${platform} [1].`)(request);
};

async function heard<T>(handlerId: string, work: () => Promise<T>): Promise<T> {
  const before = await mesh.handled(handlerId);
  const result = await work();
  await eventually(`${handlerId} is through`, async () => (await mesh.handled(handlerId)) > before);
  return result;
}

/** Whether the answer itself was known, or written for another: no model worked for whoever gets such a one. */
const wasKnown = ({ done }: Answer): boolean => done.cached && done.timings['llm_ms'] === 0;

/** Asks until the answer is kept, which it is a moment after its collection changed. */
const kept = (request: SearchInit): Promise<Answer> =>
  eventually('the answer is kept', async () => {
    const answer = await mesh.query(request);
    return wasKnown(answer) ? answer : undefined;
  });

beforeAll(async () => {
  upstream = await ScriptedUpstream.start();
  upstream.plays(quoting);
  mesh = await RetrievalMesh.start({
    ...{ APP_LLM_BACKEND: 'openai', LM_MODEL: 'scripted', OPENAI_BASE_URL: upstream.url },
    // A thousand questions at once share one event loop.
    ...{ SEARCH_LEG_TIMEOUT: '60s', SEARCH_EMBED_TIMEOUT: '60s' },
  });
  await heard(UPDATED, () => mesh.upload('The gate is at platform 1.', { id: 'gate', collection: 'station' }));
});
afterAll(async () => {
  await mesh?.stop();
  await upstream?.close();
});

const question = { query: 'Where is the gate?', collection: 'station' };

describe('an answer that was given before', () => {
  it('is given again whole, for nothing, and says so', async () => {
    const first = await mesh.query(question);
    expect([wasKnown(first), first.done.usage?.completionTokens]).toEqual([false, 20]);
    const again = await kept(question);
    upstream.plays(quoting);
    const third = await mesh.query(question);
    expect(third).toMatchObject({ order: again.order, text: first.text, citations: first.citations });
    expect(third.results).toEqual(first.results);
    expect(third.done).toMatchObject({
      cached: true,
      model: 'scripted',
      degraded: [],
      usage: { completionTokens: 20, cost: 0 },
    });
    expect(upstream.seen).toEqual([]);
    expect((await renderMetrics()).body).toMatch(/rag_cache_hits_total\{cache="api\.memory"\} [1-9]/);
  });

  it('is written anew for another question, and other parameters', async () => {
    await kept(question);
    expect(wasKnown(await mesh.query({ ...question, topK: 3 }))).toBe(false);
    expect(wasKnown(await mesh.query({ ...question, query: 'And the gate?' }))).toBe(false);
  });

  it('is written anew in a conversation, which remembers it', async () => {
    await kept(question);
    const conversation = `${randomUUID()}`;
    upstream.plays(quoting);
    await mesh.query(question, undefined, [], conversation);
    await mesh.query(question, undefined, [], conversation);
    expect(upstream.seen.length).toBeGreaterThanOrEqual(2);
  });

  it('is not remembered when its sources were kept from before a document of theirs went', async () => {
    await heard(UPDATED, () => mesh.upload('The shed is at platform 7.', { id: 'shed', collection: 'sheds' }));
    const asked = { query: 'Where is the shed?', collection: 'sheds' };
    const said = 'It is at platform 7 [1].';
    upstream.plays(quoting);
    await kept(asked);
    await mesh.query(asked, undefined, [], 'of before');
    expect(await mesh.remembered('of before')).toEqual([said]);
    await mesh.announceDeletion('shed', 'sheds');
    await eventually('it is heard of', async () => (await mesh.remembered('of before')).join() === '');
    const late = await mesh.query(asked, undefined, [], 'of kept sources');
    expect([late.text, late.done.cached]).toEqual([said, true]);
    expect(await mesh.remembered('of kept sources')).toEqual(['']);
    const fresh = await mesh.query({ ...asked, topK: 3 }, undefined, [], 'of sources read anew');
    expect(fresh.done.cached).toBe(false);
    expect(await mesh.remembered('of sources read anew')).toEqual([said]);
  });

  it('is not kept when it was cut or fell back', async () => {
    const other = { ...question, query: 'Which platform has the gate?' };
    upstream.plays(cutting('It is at'));
    expect((await mesh.query(other)).done.incomplete).toBe(true);
    upstream.plays(quoting);
    const whole = await mesh.query(other);
    expect(whole.done.incomplete).toBe(false);
    expect(whole.text).toMatch(/platform 1/);
  });

  it('is not shared by one who has time for a whole one while it is about to be cut', async () => {
    const asked = { ...question, query: 'Where is the gate, in short?' };
    let begun = 0;
    upstream.plays((request) => {
      begun += 1;
      if (begun > 1) quoting(request);
    });
    const hurried = mesh.query(asked, undefined, [], '', { deadlineMs: 5_000 }).catch(() => undefined);
    await eventually('the model is asked', () => begun === 1);
    const { text, done } = await mesh.query(asked);
    expect([text, done.degraded]).toEqual(['It is at platform 1 [1].', []]);
    await hurried;
    upstream.plays(quoting);
  });

  it('is written once for a thousand who ask at the same time, and each gets all of it', async () => {
    upstream.plays(quoting);
    const asked = { ...question, query: 'Where is that gate?' };
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => mesh.query(asked)));
    expect(upstream.seen).toHaveLength(1);
    expect(new Set(answers.map(({ text, order }) => `${text} ${order.join()}`)).size).toBe(1);
    expect(answers.filter((answer) => !wasKnown(answer))).toHaveLength(1);
  });
});

describe('answers while their documents change', () => {
  it('are never of a version before the last one heard of', async () => {
    upstream.plays(quoting);
    let [heardOf, done] = [1, false];
    const stale: string[] = [];
    let known = 0;
    const reader = async (): Promise<void> => {
      while (!done) {
        const floor = heardOf;
        const answer = await mesh.query(question);
        if (wasKnown(answer)) known += 1;
        const version = Number(/platform (\d+)/.exec(answer.text)?.[1]);
        if (!(version >= floor)) stale.push(`${answer.text} < ${floor}`);
      }
    };
    const readers = [reader(), reader()];
    for (let version = 2; version <= 4; version += 1) {
      await kept(question);
      const text = `The gate is at platform ${version}.`;
      await heard(UPDATED, () => mesh.upload(text, { id: 'gate', collection: 'station', replace: true }));
      heardOf = version;
    }
    done = true;
    await Promise.all(readers);
    expect(stale).toEqual([]);
    expect(known).toBeGreaterThan(0);
  });

  it('are forgotten when a document of theirs is deleted', async () => {
    expect((await kept(question)).text).toMatch(/platform 4/);
    await heard(REMOVED, () => mesh.delete('gate'));
    const after = await mesh.query(question);
    expect([wasKnown(after), after.results]).toEqual([false, []]);
  });
});

describeFewerChunks(() => ({ mesh, upstream }));

describe('operators', () => {
  it('who switch reranking off have answers kept all the same, until it is on again', async () => {
    await heard(UPDATED, () => mesh.upload('The kiosk is at platform 5.', { collection: 'kiosks' }));
    const asked = { query: 'Where is the kiosk?', collection: 'kiosks', rerank: true };
    const degraded = async () => (await mesh.query(asked)).done.degraded.join();
    await mesh.setFlag('rerank', 'false');
    await eventually('reranking is off', async () => (await degraded()) === 'rerank');
    expect((await kept(asked)).done.degraded).toEqual(['rerank']);
    await mesh.setFlag('rerank');
    await eventually('reranking is on', async () => (await degraded()) === '');
    expect((await kept(asked)).done.degraded).toEqual([]);
    const words = { ...asked, mode: 'lexical' }; // alone: there is nothing to rerank by
    expect((await kept(words)).done.degraded).toEqual(['rerank']);
  });

  it('have questions answered ahead and clear what is kept', async () => {
    await heard(UPDATED, () => mesh.upload('The lift is at platform 9.', { collection: 'lifts' }));
    const asked = { query: 'Where is the lift?', collection: 'lifts' };
    await eventually('it is warm', async () => (await mesh.warm([asked], true)).known === 1);
    expect(wasKnown(await mesh.query(asked))).toBe(true);
    await mesh.clear('station');
    expect(wasKnown(await mesh.query(asked))).toBe(true);
    await mesh.clear('lifts');
    expect(wasKnown(await mesh.query(asked))).toBe(false);
  });

  it('who have no reranker have answers kept all the same', async () => {
    await heard(UPDATED, () => mesh.upload('The taxi is at platform 6.', { collection: 'taxis' }));
    await mesh.halt('retrieval');
    await mesh.run('retrieval', { APP_RERANK_BACKEND: 'disabled' });
    const asked = { query: 'Where is the taxi?', collection: 'taxis', rerank: true };
    await eventually('it answers', () => mesh.query(asked).catch(() => null));
    expect((await kept(asked)).done.degraded).toEqual(['rerank']);
  });
});
