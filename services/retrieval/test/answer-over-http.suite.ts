import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { answering, cutting, endless, silent, type ScriptedUpstream } from '../../generation/test/scripted-upstream.js';
import { type RetrievalMesh } from './retrieval-mesh.js';
import { taskOf, writing } from './scripted-writer.js';

/** Answers of a language model as they reach a client of the edge. */
export function describeAnswersOverHttp(of: () => { mesh: RetrievalMesh; upstream: ScriptedUpstream }): void {
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

    const post = (body: object): Promise<Record<string, unknown>> =>
      fetch(`${url}/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }).then(async (response) => (await response.json()) as Record<string, unknown>);

    const send = (body: object): ClientRequest => {
      const headers = { 'content-type': 'application/json' };
      const outgoing = request(`${url}/v1/query`, { method: 'POST', headers });
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
      const whole = { incomplete: false, fallback_used: false, usage: { cost: expect.closeTo(0.12, 6) } };
      const answer = await eventually('a whole answer', async () => {
        const body = await post({ ...question, explain: true, self_check: true });
        return body['fallback_used'] === false && body;
      });
      expect(answer).toMatchObject({ ...whole, supported: null, degraded: ['self_check'], dropped: expect.any(Array) });
      upstream.plays(writing({ answer: cutting('They dance. ') }));
      expect(await post(question)).toMatchObject({ incomplete: true });
    });

    it('is written no longer than its reader stays', async () => {
      upstream.plays(writing({ answer: silent('They dance. ') }));
      const response = await open();
      await once(response, 'data');
      const provider = await eventually('it is asked', () =>
        upstream.seen.findLast((seen) => taskOf(seen) === 'answer'),
      );
      const left = performance.now();
      response.destroy();
      await provider.closed;
      expect(performance.now() - left).toBeLessThan(1_000);
    });

    it('is written no longer than its reader waits, also as a whole', async () => {
      upstream.plays(writing({ answer: silent('They dance. ') }));
      const outgoing = send(question).on('error', () => undefined);
      const provider = await eventually('it is asked', () =>
        upstream.seen.findLast((seen) => taskOf(seen) === 'answer'),
      );
      const left = performance.now();
      outgoing.destroy();
      await provider.closed;
      expect(performance.now() - left).toBeLessThan(1_000);
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
