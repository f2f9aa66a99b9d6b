import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { answering, cutting, endless, silent, type ScriptedUpstream } from '../../generation/test/scripted-upstream.js';
import { type RetrievalMesh } from './retrieval-mesh.js';
import { saying, taskOf, writing } from './scripted-writer.js';

interface Served {
  readonly mesh: RetrievalMesh;
  readonly upstream: ScriptedUpstream;
  /** A long document in the collection `manuals`. */
  readonly manual: string;
}

/** Answers of a language model as they reach a client of the edge. */
export function describeAnswersOverHttp(of: () => Served): void {
  describe('an answer over HTTP', () => {
    let url: string;
    let upstream: ScriptedUpstream;
    const question = { query: 'What do honey bees do?', top_k: 1 };

    beforeAll(async () => {
      ({ upstream } = of());
      await of().mesh.createCollection('strict', { minScore: 0.999 });
      await of().mesh.upload('Honey bees dance to tell each other where flowers are.', { collection: 'strict' });
      url = await of().mesh.runEdge();
    });

    const post = (body: object, path = '/v1/query'): Promise<Record<string, unknown>> =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then(async (response) => (await response.json()) as Record<string, unknown>);

    const send = (body: object, path = '/v1/query'): ClientRequest => {
      const headers = { 'content-type': 'application/json' };
      const outgoing = request(`${url}${path}`, { method: 'POST', headers });
      outgoing.end(JSON.stringify(body));
      return outgoing;
    };

    /** Opens a stream and reads nothing of it. */
    async function open(): Promise<IncomingMessage> {
      const outgoing = send({ ...question, stream: true });
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      return response.on('error', () => undefined);
    }

    it('says what it cost, where it came from and whether it is whole', async () => {
      upstream.plays(writing({ answer: answering('They dance [1].') }));
      const three = { prompt_tokens: 300, completion_tokens: 60, cost: expect.closeTo(0.36, 6) }; // to grade, to answer, to verify
      const whole = { incomplete: false, fallback_used: false, usage: three };
      const answer = await eventually('a whole answer', async () => {
        const body = await post({ ...question, explain: true, self_check: true });
        return body['fallback_used'] === false && body;
      });
      expect(answer).toMatchObject({ ...whole, supported: null, degraded: ['self_check'], dropped: expect.any(Array) });
      upstream.plays(writing({ answer: cutting('They dance. ') }));
      expect(await post(question)).toMatchObject({ incomplete: true });
    });

    it('is not all that costs: a search says what it took, too', async () => {
      upstream.plays(writing({ hypothesise: saying({ passage: 'Honey bees dance.' }) }));
      const usage = { prompt_tokens: 100, completion_tokens: 20, cost: expect.closeTo(0.12, 6) };
      expect(await post({ ...question, hyde: true }, '/v1/search')).toMatchObject({ degraded: [], usage });
      const nothing = { prompt_tokens: 0, completion_tokens: 0, cost: null };
      expect(await post(question, '/v1/search')).toMatchObject({ usage: nothing });
    });

    /** After how many milliseconds every one of its calls was hung up on once a reader had left, of three readers at most. */
    const fastest = (ask: () => (() => unknown) | Promise<() => unknown>, calls = 1): Promise<number> =>
      withinAttempts(
        3,
        async () => {
          const silence = silent('They dance. ');
          upstream.plays(writing({ answer: silence, hypothesise: silence }));
          const leave = await ask();
          await eventually('the provider is asked', () => upstream.seen.length === calls);
          const left = performance.now();
          leave();
          await Promise.all(upstream.seen.map(({ closed }) => closed));
          return performance.now() - left;
        },
        (tookMs) => tookMs < 1_000,
      );

    it('is written no longer than its reader stays', async () => {
      const hungUp = await fastest(async () => {
        const response = await open();
        await once(response, 'data');
        return () => response.destroy();
      });
      expect(hungUp).toBeLessThan(1_000);
    });

    it('is written no longer than its reader waits, also as a whole', async () => {
      const hungUp = await fastest(() => {
        const outgoing = send(question).on('error', () => undefined);
        return () => outgoing.destroy();
      });
      expect(hungUp).toBeLessThan(1_000);
    });

    it.each([
      ['questions, written by six calls at once', '/v1/questions', { collection: 'manuals', count: 100 }, 6],
      ['a search with an imagined answer', '/v1/search', { ...question, hyde: true }, 1],
    ])('is not alone in that: %s', async (_, path, body, calls) => {
      const asked = path === '/v1/questions' ? { ...body, document_id: of().manual } : body;
      const leave = () => {
        const outgoing = send(asked, path).on('error', () => undefined);
        return () => outgoing.destroy();
      };
      expect(await fastest(leave, calls)).toBeLessThan(1_000);
    });

    it.each([
      ['a request', { ...question, min_score: 0.999 }],
      ['a collection', { ...question, collection: 'strict' }],
    ])('is none, and no model is asked, where no source reaches the least score of %s', async (_, asked) => {
      upstream.plays(writing({ answer: answering('They dance [1].') }));
      expect(await post({ ...asked, min_score: 0 })).toMatchObject({ answer: 'They dance [1].', model: 'scripted' });
      upstream.plays(writing({ answer: answering('They dance [1].') }));
      expect(await post(asked)).toMatchObject({
        ...{ answer: 'The sources do not answer this question.', sources: [], citations: [] },
        ...{ model: 'extractive', degraded: [], fallback_used: false },
      });
      expect(upstream.seen).toEqual([]);
    });

    it('is written no faster than its reader reads', async () => {
      const answer = endless();
      upstream.plays(writing({ answer }));
      const response = await open();
      const isHeld = async (): Promise<boolean> => {
        const before = answer.written();
        await new Promise((resolve) => setTimeout(resolve, 300));
        return before > 0 && answer.written() === before;
      };
      await eventually('the provider is held back', isHeld);
      const held = answer.written();
      response.resume();
      await eventually('it writes on', () => answer.written() > held + 200_000);
      response.destroy();
      await upstream.seen.findLast((seen) => taskOf(seen) === 'answer')!.closed;
    });
  });
}
