import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { answering, silent, type ScriptedUpstream, type SeenRequest } from '../../generation/test/scripted-upstream.js';
import type { RetrievalMesh } from './retrieval-mesh.js';

interface Served {
  readonly mesh: RetrievalMesh;
  readonly upstream: ScriptedUpstream;
}

interface Body {
  readonly sources: readonly unknown[];
  readonly degraded: readonly string[];
  readonly cached: boolean;
  readonly timings: Record<string, number>;
}

const STREAMS = 4;
/** With so many open three quarters of their places are taken. */
const OPEN = 3;
const HELD = 'Is the harbour open?';
const chunks = ['north', 'east', 'south', 'west', 'inner'].map((which) => `The ${which} harbour has a crane.`);

/** One question never ends. */
const speaking = (request: SeenRequest): void => {
  const isHeld = request.body.messages.some(({ content }) => content.includes(HELD));
  void (isHeld ? silent('It is ') : answering('A crane [1].'))(request);
};

/** Data of an event stream. */
const eventsOf = (text: string): Record<string, unknown>[] =>
  [...text.matchAll(/^data: ({.*})$/gm)].map(([, json]) => JSON.parse(json!) as Record<string, unknown>);

/** Answers of an edge that is about to shed load. */
export function describeFewerChunks(of: () => Served): void {
  describe('an answer while the edge is nearly full', () => {
    let url: string;
    let upstream: ScriptedUpstream;
    const known = { query: 'Which harbour has a crane?', top_k: 5 };
    const fresh = { query: 'Which crane has a harbour?', top_k: 5 };

    const post = (path: string, body: object, signal: AbortSignal | null = null): Promise<Response> =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
      });
    const ask = async (body: object, path = '/v1/query'): Promise<Body> => (await post(path, body)).json() as never;
    const told = async (body: object, path: string): Promise<Record<string, unknown>[]> =>
      eventsOf(await (await post(path, body)).text());
    const isRepeated = ({ cached, timings }: Body): boolean => cached && timings['llm_ms'] === 0;
    const kept = (body: object): Promise<Body> =>
      eventually('the answer is kept', async () => {
        const answer = await ask(body);
        return isRepeated(answer) && answer;
      });

    /** Answers under way that take the places. @returns how to leave them. */
    async function fill(): Promise<() => Promise<void>> {
      const leave = new AbortController();
      const held = { query: HELD, stream: true };
      for (let open = 0; open < OPEN; open += 1) await post('/v1/query', held, leave.signal);
      return async () => {
        leave.abort();
        await eventually('there is room', async () => (await ask(fresh)).degraded.length === 0);
      };
    }

    beforeAll(async () => {
      ({ upstream } = of());
      upstream.plays(speaking);
      for (const text of chunks) await of().mesh.upload(text);
      url = await of().mesh.runEdge({ MAX_OPEN_STREAMS: String(STREAMS) });
    });

    it('is made from half of the chunks and says so, and is made whole and kept once there is room', async () => {
      const empty = await fill();
      upstream.plays(speaking);
      for (let time = 1; time <= 2; time += 1) {
        const answer = await ask(fresh);
        expect(answer).toMatchObject({ degraded: ['context'], fallback_used: false });
        expect(answer.sources).toHaveLength(3);
        expect(upstream.seen).toHaveLength(time); // it was not kept
      }
      expect(upstream.seen[0]!.body.messages.at(-1)!.content.match(/ has a crane/g)).toHaveLength(3);
      expect(await ask({ ...fresh, top_k: 1 })).toMatchObject({ degraded: [], sources: [expect.anything()] });
      await empty();
      const whole = await kept(fresh);
      expect([whole.sources.length, whole.degraded]).toEqual([5, []]);
    });

    it('is given whole where it is known, and a search is never cut', async () => {
      await kept(known);
      const empty = await fill();
      const again = await ask(known);
      expect([isRepeated(again), again.sources.length, again.degraded]).toEqual([true, 5, []]);
      const { results, degraded } = (await (await post('/v1/search', fresh)).json()) as Record<string, unknown[]>;
      expect([results!.length, degraded]).toEqual([5, []]);
      await empty();
    });

    it('is made from half of the chunks on every route that answers', async () => {
      const empty = await fill();
      const [query, top_k] = ['Which of them has a crane?', 4];
      const asked = { query, top_k };
      const chat = { model: 'ragmesh', top_k, messages: [{ role: 'user', content: query }] };
      const two = [expect.anything(), expect.anything()];
      const half = { sources: two, degraded: ['context'] };
      expect(await ask(chat, '/v1/chat/completions')).toMatchObject(half);
      expect(await ask(asked, '/api/v1/query')).toMatchObject(half);
      expect(await ask(asked, '/query')).toMatchObject({ sources: two });
      expect((await told(asked, '/query/stream'))[0]).toEqual({ type: 'sources', data: two });
      expect((await told({ ...chat, stream: true }, '/v1/chat/completions'))[0]).toMatchObject({ sources: two });
      const events = await told({ ...asked, stream: true }, '/v1/query');
      expect([events[0], events.at(-1)]).toMatchObject([{ sources: two }, { degraded: ['context'] }]);
      await empty();
    });
  });
}
