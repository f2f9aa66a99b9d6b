import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EVERYTHING, renderMetrics } from '@ragmesh/observability';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { RetrievalMesh, type Found, type SearchInit } from './retrieval-mesh.js';

const UPDATED = 'retrieval.evict-updated';
const REMOVED = 'retrieval.evict-removed';

/** A thousand searches at once share one event loop. */
const patient = { SEARCH_LEG_TIMEOUT: '60s', SEARCH_EMBED_TIMEOUT: '60s' };

let mesh: RetrievalMesh;

/** A search that was really made takes time in its stages; one that was known takes none. */
const wasKnown = ({ timings }: Found): boolean => timings.lexical_search_ms === 0 && timings.embed_query_ms === 0;
const texts = ({ results }: Found): string[] => results.map(({ source }) => source!.text);

/** Searches until the results are kept, which they are a moment after their collection changed. */
const kept = (request: SearchInit): Promise<Found> =>
  eventually('the results are kept', async () => {
    const answer = await mesh.search(request);
    return wasKnown(answer) ? answer : undefined;
  });

/** Does something and waits until the retrieval service has heard of it. */
async function heard<T>(handlerId: string, work: () => Promise<T>): Promise<T> {
  const before = await mesh.handled(handlerId);
  const result = await work();
  await eventually(`${handlerId} is through`, async () => (await mesh.handled(handlerId)) > before);
  return result;
}

beforeAll(async () => {
  mesh = await RetrievalMesh.start(patient);
});
afterAll(() => mesh?.stop());

describe('results that were found before', () => {
  it('are the same again, in no time, for whoever of the tenant asks', async () => {
    await heard(UPDATED, () => mesh.upload('Otters hold hands while they sleep.', { collection: 'rivers' }));
    const request = { query: 'How do otters sleep?', collection: 'rivers', explain: true };
    const first = await mesh.search(request);
    const again = await kept(request);
    expect(wasKnown(first)).toBe(false);
    expect(again.results).toEqual(first.results);
    expect(again.results[0]!.denseScore).toEqual(expect.any(Number));
    expect((await mesh.search({ ...request, explain: false })).results[0]!.denseScore).toBeUndefined();
    expect((await mesh.search(request, 'stranger')).results).toEqual([]);
    expect(wasKnown(await mesh.search({ ...request, topK: 3 }))).toBe(false);
    const { body } = await renderMetrics();
    expect(body).toMatch(/rag_cache_hits_total\{cache="retrieval\.memory"\} [1-9]/);
  });

  it('answer a question, which says so', async () => {
    const search = { query: 'Do otters sleep?', collection: 'rivers' };
    const first = await mesh.query(search);
    expect(first.done.cached).toBe(false);
    const again = await eventually('its results are kept', async () => {
      const answer = await mesh.query(search);
      return answer.done.cached && answer;
    });
    expect(again.results).toEqual(first.results);
    expect(again.text).toBe(first.text);
    expect(again.citations).toEqual(first.citations);
  });

  it('are forgotten when their collection changes, and no others', async () => {
    await heard(UPDATED, () => mesh.upload('Herons stand still for hours.', { collection: 'lakes' }));
    const [rivers, lakes] = [
      { query: 'Who stands still?', collection: 'rivers' },
      { query: 'Who stands still?', collection: 'lakes' },
    ];
    for (const request of [rivers, lakes]) await kept(request);
    await heard(UPDATED, () => mesh.upload('Statues stand still for ever.', { collection: 'lakes' }));
    expect(wasKnown(await mesh.search(rivers))).toBe(true);
    const after = await mesh.search(lakes);
    expect(wasKnown(after)).toBe(false);
    expect(texts(after)).toContain('Statues stand still for ever.');
  });

  it('are forgotten once a document is ready or gone, whether or not that was heard of', async () => {
    const collection = 'brooks';
    const request = { query: 'Who swims upstream?', collection };
    await kept(request);
    const id = await mesh.upload('The salmon swims upstream.', { collection });
    expect(texts(await mesh.search(request))).toEqual(['The salmon swims upstream.']);
    for (const text of ['The trout swims upstream.', 'The eel swims upstream.']) {
      await kept(request);
      await mesh.upload(text, { id, collection, replace: true });
      expect(texts(await mesh.search(request))).toEqual([text]);
    }
    await kept(request);
    await mesh.delete(id);
    expect(texts(await mesh.search(request))).toEqual([]);
  });

  it('are forgotten when a document of theirs is deleted', async () => {
    const fox = await heard(UPDATED, () => mesh.upload('The fox digs a den.', { collection: 'woods' }));
    const foxes = { query: 'fox den', collection: 'woods', mode: 'lexical', topK: 1 };
    expect((await kept(foxes)).results).toHaveLength(1);
    await heard(REMOVED, () => mesh.delete(fox));
    expect((await mesh.search(foxes)).results).toEqual([]);
  });

  it('are not missed when nothing was found before', async () => {
    const request = { query: 'badgers', collection: 'hills' };
    expect((await mesh.search(request)).results).toEqual([]);
    await kept(request);
    await heard(UPDATED, () => mesh.upload('Badgers live in setts.', { collection: 'hills' }));
    expect(texts(await mesh.search(request))).toEqual(['Badgers live in setts.']);
  });

  it('are still there while the index is away', async () => {
    const request = { query: 'How do otters sleep?', collection: 'rivers' };
    const before = await kept(request);
    await mesh.halt('vector');
    expect((await mesh.search(request)).results).toEqual(before.results);
    await expect(mesh.search({ ...request, topK: 7 })).rejects.toMatchObject({ code: 'VECTOR.UNAVAILABLE' });
    await mesh.run('vector');
    await eventually('the index answers', () => mesh.search({ ...request, topK: 7 }).catch(() => null));
  });

  it('are not kept when they were degraded', async () => {
    const request = { query: 'Which birds sit in trees?', collection: 'woods' };
    await mesh.halt('embedding');
    expect((await mesh.search(request)).degraded).toEqual(['dense']);
    await mesh.run('embedding');
    await eventually('whole results', async () => (await mesh.search(request)).degraded.length === 0);
  });

  it('are found once by a thousand equal searches at a time', async () => {
    const completed = () => mesh.published.filter(({ topic }) => topic === 'retrieval.completed').length;
    const before = completed();
    const request = { query: 'Who builds dams?', collection: 'rivers' };
    const answers = await Promise.all(Array.from({ length: 1000 }, () => mesh.search(request)));
    expect(answers.filter((answer) => !wasKnown(answer))).toHaveLength(1);
    expect(new Set(answers.map((answer) => JSON.stringify(texts(answer)))).size).toBe(1);
    await eventually('each is told of', () => completed() >= before + 1000);
  });
});

/** Updates a document of the collection again and again while readers ask; nobody may get a version before the last heard of. */
async function neverStale(collection: string, wordings: readonly string[]): Promise<void> {
  const id = await heard(UPDATED, () => mesh.upload('The gate is at platform 1.', { collection }));
  const requests = wordings.map((query) => ({ query, collection }));
  let heardOf = 1;
  let done = false;
  const stale: string[] = [];
  let [asked, known] = [0, 0];
  const reader = async (request: SearchInit): Promise<void> => {
    while (!done) {
      const floor = heardOf;
      const answer = await mesh.search(request);
      asked += 1;
      if (wasKnown(answer)) known += 1;
      for (const { source } of answer.results) {
        const { version, text } = source!;
        if (Number(version) < floor || text !== `The gate is at platform ${version}.`)
          stale.push(`${version} < ${floor}`);
      }
    }
  };
  const readers = [...requests, ...requests].map(reader);
  for (let version = 2; version <= 6; version += 1) {
    await kept(requests[version % 2]!);
    const text = `The gate is at platform ${version}.`;
    await heard(UPDATED, () => mesh.upload(text, { id, collection, replace: true }));
    heardOf = version;
  }
  done = true;
  await Promise.all(readers);
  expect(stale).toEqual([]);
  expect(known).toBeGreaterThan(0);
  expect(asked).toBeGreaterThan(known);
}

describe('results while a document is updated again and again', () => {
  it('are never those of a version before the last one heard of', async () => {
    await neverStale('station', ['Which platform is the gate at?', 'gate']);
  });
});

describe('operators', () => {
  it('warm for those who ask later, whatever they may see themselves, and not where readers differ', async () => {
    // What is found while the collection settles is not kept.
    const { asked, found } = await withinAttempts(
      3,
      async (number) => {
        const request = { query: `Who may ask${'?'.repeat(number)}`, collection: 'rivers', topK: number };
        expect(await mesh.warm([request], false, [EVERYTHING])).toMatchObject({ warmed: 1 });
        return { asked: request, found: await mesh.search(request) };
      },
      (attempt) => wasKnown(attempt.found),
    );
    expect(wasKnown(found)).toBe(true);
    await mesh.restrict('secrets', ['group:few']);
    const refused = mesh.warm([asked, { ...asked, collection: 'secrets' }], false, [EVERYTHING]);
    await expect(refused).rejects.toMatchObject({ code: 'REQUEST.INVALID', details: { field: 'collection' } });
  });

  it('warm searches and clear what is kept', async () => {
    const nowhere = { query: 'Who sleeps?', collection: 'rivers', mode: 'dense', hyde: true };
    const { searches, again } = await withinAttempts(
      3,
      async (number) => {
        const fresh = ['Who holds hands?', 'Who sleeps?'].map((query) => ({
          ...{ query, collection: 'rivers', topK: 10 + number },
        }));
        const told = await mesh.warm([...fresh, nowhere]);
        expect(told).toMatchObject({ warmed: 2, known: 0, failed: 1, reasons: { hyde: 1 } });
        return { searches: fresh, again: await mesh.warm(fresh) };
      },
      (attempt) => attempt.again.known === 2,
    );
    expect(again).toMatchObject({ warmed: 0, known: 2, failed: 0 });
    expect(wasKnown(await mesh.search(searches[0]!))).toBe(true);
    await mesh.clear('lakes');
    expect(wasKnown(await mesh.search(searches[0]!))).toBe(true);
    await mesh.clear('rivers');
    expect(wasKnown(await mesh.search(searches[0]!))).toBe(false);
    await kept(searches[1]!);
    await mesh.clear();
    expect(wasKnown(await mesh.search(searches[1]!))).toBe(false);
    await expect(mesh.warm(Array.from({ length: 101 }, () => searches[0]!))).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
    });
  });
});

describe('results of similar questions', () => {
  beforeAll(async () => {
    await mesh.halt('retrieval');
    await mesh.run('retrieval', { CACHE_SIMILARITY: '0.95' });
    const request = { query: 'How do otters sleep?', collection: 'rivers' };
    await eventually('it answers', () => mesh.search(request).catch(() => null));
  });

  it('are shared, and not by questions that name other figures or are asked in another way', async () => {
    const { first, again, similar } = await withinAttempts(
      3,
      async (number) => {
        const query = `In room 7${number} how do otters sleep?`;
        const found = await mesh.search({ query: `How do otters sleep in room 7${number}?`, collection: 'rivers' });
        return { first: found, again: await mesh.query({ query, collection: 'rivers' }), similar: query };
      },
      (attempt) => attempt.again.done.cached,
    );
    expect(again.results).toEqual(first.results);
    expect(again.done.cached).toBe(true);
    const other = async (fields: SearchInit) => wasKnown(await mesh.search({ collection: 'rivers', ...fields }));
    expect(await other({ query: 'In room 8 how do otters sleep?' })).toBe(false);
    expect(await other({ query: similar, topK: 3 })).toBe(false);
    expect(await other({ query: similar, mode: 'lexical' })).toBe(false);
    expect(wasKnown(await mesh.search({ query: similar, collection: 'rivers' }, 'stranger'))).toBe(false);
  });

  it('are never those of a version before the last one heard of', async () => {
    await neverStale('terminal', ['Which platform is the gate at?', 'At which platform is the gate?']);
  });
});

describe('with a time to live of 0', () => {
  it('every search is made', async () => {
    await mesh.halt('retrieval');
    await mesh.run('retrieval', { CACHE_TTL_SECONDS: '0' });
    const request = { query: 'How do otters sleep?', collection: 'rivers' };
    await eventually('it answers', () => mesh.search(request).catch(() => null));
    expect(wasKnown(await mesh.search(request))).toBe(false);
    expect((await mesh.query(request)).done.cached).toBe(false);
  });
});
