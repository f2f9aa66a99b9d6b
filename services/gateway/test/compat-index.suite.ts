import { describe, expect, it } from '@jest/globals';

type Json = Record<string, unknown>;

interface Chunk {
  readonly start: number;
  readonly end: number;
}

const read = async (response: Promise<Response>): Promise<Json> => (await (await response).json()) as Json;

/** What existing clients send to `/index`, and find afterwards. */
export function describeIndex(url: () => string, documents: readonly { readonly text: string }[]): void {
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${url()}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });

  describe('POST /index', () => {
    it('answers once every document can be searched, with counts', async () => {
      const found = async (): Promise<Json[]> =>
        (await read(post('/query', { query: 'ferry northern pier' })))['sources'] as Json[];
      for (let time = 0; time < 2; time += 1) expect(await found()).toEqual([]); // which is kept
      const answer = await post('/index', { documents, chunk_size: 512, overlap: 50, unknown: 'is left aside' });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        indexed: 2,
        failed: 0,
        pending: 0,
        chunks: 2,
        ids: ['lighthouse', 'ferry'],
        errors: [],
      });
      expect((await found())[0]).toMatchObject({ text: documents[1]!.text });
    });

    it('takes an id it has as a new version, which is found when it answers', async () => {
      const text = 'The ferry to Alvöra leaves the southern pier at noon.';
      expect(await read(post('/index', { documents: [{ id: 'ferry', text }] }))).toMatchObject({ indexed: 1 });
      const { sources } = (await read(post('/query', { query: 'ferry northern pier' }))) as { sources: Json[] };
      expect(sources[0]).toMatchObject({ text, metadata: { version: 2 } });
    });

    it('takes what it can and says which document it could not take', async () => {
      const answer = await post('/index', { documents: [{ id: 'not/an/id', text: 'a' }, { text: 'A buoy is red.' }] });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        indexed: 1,
        failed: 1,
        pending: 0,
        chunks: 1,
        ids: [null, expect.any(String)],
        errors: [{ index: 0, id: 'not/an/id', code: 'REQUEST.INVALID', message: expect.stringContaining('id') }],
      });
    });

    it('counts the chunks of equal texts once, since they are one document', async () => {
      const twice = Array.from({ length: 2 }, () => ({ text: 'A beacon is lit at dusk.' }));
      const answer = await read(post('/index', { documents: twice }));
      expect(answer).toMatchObject({ indexed: 2, chunks: 1 });
      expect(new Set(answer['ids'] as string[]).size).toBe(1);
    });

    it('cuts a text into chunks as long and as overlapping as its client asks', async () => {
      const words = Array.from({ length: 300 }, (_, at) => (at % 10 === 9 ? `gull${at}.` : `gull${at}`));
      const index = async (id: string, size: object): Promise<Chunk[]> => {
        const counts = await read(post('/index', { documents: [{ id, text: words.join(' ') }], ...size }));
        const { data } = await read(fetch(`${url()}/v1/documents/${id}/chunks`));
        expect(counts).toMatchObject({ indexed: 1, chunks: (data as Chunk[]).length });
        return data as Chunk[];
      };
      const short = await index('short-chunks', { chunk_size: 64, overlap: 16 });
      expect(short.length).toBeGreaterThan(3);
      const overlaps = short.slice(1).map(({ start }, at) => short[at]!.end - start);
      expect(Math.min(...overlaps)).toBeGreaterThan(0);
      const apart = await index('chunks-apart', { chunk_size: 64, overlap: 0 });
      expect(Math.max(...apart.slice(1).map(({ start }, at) => apart[at]!.end - start))).toBeLessThanOrEqual(0);
      expect((await index('usual-chunks', {})).length).toBeLessThan(short.length);
    });

    it.each([
      ['nothing', { documents: [] }, 'documents'],
      ['an id twice', { documents: [documents[0], documents[0]] }, 'documents[1].id'],
      ['a wide overlap', { documents, chunk_size: 100, overlap: 50 }, 'overlap'],
      ['chunks too short', { documents, chunk_size: 31 }, 'chunk_size'],
      ['no document it can take', { documents: [{ id: 'a/b', text: 'a' }] }, 'id'],
    ])('refuses %s', async (_what, body, field) => {
      expect(await read(post('/index', body))).toMatchObject({ status: 422, code: 'REQUEST.INVALID', field });
    });
  });
}
