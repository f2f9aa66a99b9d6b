import { expect, it } from '@jest/globals';
import { eventually, seeded } from '@ragmesh/testing';
import { onBothBuses } from './on-both-buses.js';

const LEAST_STEPS = 8;
const MOST_STEPS = 60;
const DOCUMENTS = 15;
const UPDATES = 6;

const text = (words: string): string => `The ${words} of the harbour. `.repeat(80);

onBothBuses('a document whose changes race', (mesh) => {
  it('is gone and stays gone, at whichever commit of its ingestion it is deleted', async () => {
    let step = 1;
    for (let wasLate = false; !wasLate && step <= MOST_STEPS; step += 1) {
      const id = `deleted-at-${step}`;
      let commits = 0;
      let deleting: Promise<unknown> | undefined;
      const { api, faults } = mesh();
      faults.committed = async () => {
        commits += 1;
        if (commits !== step) return;
        deleting = api.call('DELETE', `/v1/documents/${id}`);
        await deleting;
      };
      // The first commit is the upload's own: until its answer is sent there is nothing to delete.
      await api.upload({ id, text: text(id), collection: 'deleted' });
      await eventually('the step or the end', async () => deleting !== undefined || (await isReady(id)));
      wasLate = deleting === undefined;
      faults.committed = undefined;
      await deleting;
      await api.call('DELETE', `/v1/documents/${id}`);
      await eventually(`${id} is gone`, async () => (await get(id)).status === 404);
    }
    expect(step).toBeGreaterThan(LEAST_STEPS);
    expect(await mesh().oracle.violations()).toEqual([]);
    const { body } = await mesh().api.call('POST', '/v1/search', { query: 'harbour', collection: 'deleted' });
    expect(body['results']).toEqual([]);
  }, 400_000);

  it.each([3, 11])(
    'has the last version accepted and nothing of the others (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const { api } = mesh();
      const ids = Array.from({ length: DOCUMENTS }, (_, number) => `raced-${seed}-${number}`);
      const collection = `raced-${seed}`;
      const latest = new Map<string, { version: number; words: string }>();
      const change = async (id: string, number: number): Promise<void> => {
        await new Promise((resolve) => setTimeout(resolve, random() * 400));
        const words = `edition${number}`;
        const { status, body } = await api.call('PUT', `/v1/documents/${id}`, { text: text(words), collection });
        if (status !== 202) throw new Error(`${status} ${JSON.stringify(body)}`);
        const version = Number(body['version']);
        if (version > (latest.get(id)?.version ?? 0)) latest.set(id, { version, words });
      };
      await Promise.all(ids.flatMap((id) => Array.from({ length: UPDATES }, (_, number) => change(id, number))));
      for (const id of ids) {
        await eventually(
          `${id} shows its last version`,
          async () => (await get(id)).body['status'] === 'ready',
          90_000,
        );
        expect((await get(id)).body).toMatchObject({ version: latest.get(id)!.version });
      }
      expect(await mesh().oracle.violations()).toEqual([]);
      const request = { query: 'harbour', collection, mode: 'lexical', top_k: 100 };
      const { body } = await api.call('POST', '/v1/search', request);
      const stale = (body['results'] as { document_id: string; version: number; text: string }[]).filter(
        (hit) =>
          hit.version !== latest.get(hit.document_id)!.version ||
          !hit.text.includes(latest.get(hit.document_id)!.words),
      );
      expect(stale).toEqual([]);
    },
    240_000,
  );

  const get = (id: string) => mesh().api.call('GET', `/v1/documents/${id}`);
  const isReady = async (id: string): Promise<boolean> => (await get(id)).body['status'] === 'ready';
});
