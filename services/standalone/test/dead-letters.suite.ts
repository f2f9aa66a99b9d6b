import { describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import type { Mesh } from './mesh-fixture.js';
import { OperatorClient, giveUpABatch, type Json } from './operator-client.js';

/** What operators see of events that were given up, and what they may do about them. */
export function describeDeadLetters(mesh: () => Mesh): void {
  const desk = new OperatorClient(mesh);

  describe('dead letters', () => {
    it('are counted by cause and shown without a word of what they are about', async () => {
      await giveUpABatch(mesh(), 'secretive', { words: 'the merger with Acme' });
      const { id } = await desk.letterWith('subject=secretive');
      const { body: list } = await mesh().api.call('GET', '/v1/admin/dead-letters?subject=secretive&service=vector');
      expect(list).toMatchObject({
        groups: [
          {
            service: 'vector',
            code: 'VECTOR.DIMENSION_MISMATCH',
            topic: 'chunks.embedded',
            handler: 'vector.index-chunks',
            count: 1,
          },
        ],
        unavailable: [],
        next_cursor: null,
      });
      const { status, body } = await mesh().api.call('GET', `/v1/admin/dead-letters/${id}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        headers: { ce_type: 'chunks.embedded', ce_subject: 'secretive' },
        payload: { document_id: 'secretive', vectors: '[5 bytes]', chunks: [{ text: '[text of 20 characters]' }] },
        status: 'parked',
        replay_history: [],
      });
      expect(JSON.stringify(body)).not.toContain('Acme');
    });

    it('are listed page by page over all services, each once', async () => {
      for (const number of [1, 2, 3, 4, 5]) await giveUpABatch(mesh(), `paged-${number}`);
      await mesh().bus.publish([
        { topic: 'document.created', partition: 0, key: 'paged', headers: {}, value: Buffer.alloc(0) },
      ]);
      // The one before, five batches, and an event that both of its consumers give up.
      await eventually('eight letters', async () =>
        (await desk.letters('limit=200')).length === 8 ? true : undefined,
      );
      const all = (await desk.letters('limit=200')).map(({ id }) => id);
      expect(await desk.lettersByPage('limit=2')).toEqual(all);
      expect(new Set(all.map((id) => id.split(':').at(-1)!.split('.')[0])).size).toBeGreaterThan(1);
    });

    it('of all tenants are found by an operator of one, and decided about in the tenant they are of', async () => {
      for (const tenant of ['acme', 'bolt']) await giveUpABatch(mesh(), `paper-of-${tenant}`, { tenant });
      const [ofAcme, ofBolt] = await Promise.all(
        ['acme', 'bolt'].map((tenant) => desk.letterWith(`tenant=*&subject=paper-of-${tenant}`)),
      );
      expect([ofAcme!['tenant'], ofBolt!['tenant']]).toEqual(['acme', 'bolt']);
      const { body } = await mesh().api.call('GET', '/v1/admin/dead-letters?tenant=*&handler=vector.index-chunks');
      const counted = (body['groups'] as Json[]).map(({ tenant, count }) => `${tenant as string}: ${count as number}`);
      expect(counted).toEqual(expect.arrayContaining(['acme: 1', 'bolt: 1']));
      const all = await desk.letters('tenant=*&limit=200');
      expect(await desk.lettersByPage('tenant=*&limit=2')).toEqual(all.map(({ id }) => id));

      expect(await desk.letters('subject=paper-of-acme')).toEqual([]);
      expect((await desk.letters('tenant=acme')).map(({ id }) => id)).toEqual([ofAcme!.id]);
      const path = `/v1/admin/dead-letters/${ofAcme!.id}`;
      expect((await mesh().api.call('GET', path)).status).toBe(404);
      expect(await mesh().api.call('GET', `${path}?tenant=acme`)).toMatchObject({ body: { tenant: 'acme' } });
      const ids = [ofAcme!.id];
      expect(await desk.replay({ ids })).toMatchObject({ status: 404 });
      expect(await desk.replay({ ids }, '?tenant=acme')).toMatchObject({ status: 202, body: { accepted: 1 } });
      const discard = { reason: 'VECTOR.DIMENSION_MISMATCH', note: 'a test' };
      const discarded = await mesh().api.call('POST', '/v1/admin/dead-letters/discard?tenant=bolt', discard);
      expect(discarded).toMatchObject({ status: 200, body: { letters: [{ id: ofBolt!.id, accepted: true }] } });
      expect(await mesh().api.call('GET', '/v1/admin/dead-letters?tenant=~')).toMatchObject({
        ...{ status: 422, body: { field: 'tenant' } },
      });
    });

    it('are replayed one at a time when ten ask at once, and quarantined after three replays in vain', async () => {
      await giveUpABatch(mesh(), 'hopeless');
      const { id } = await desk.letterWith('subject=hopeless');
      const answers = await Promise.all(Array.from({ length: 10 }, () => desk.replay({ ids: [id] })));
      const accepted = answers.filter(({ status }) => status === 202).length;
      // One at a time: a second is accepted only once the first has failed, which may be quick; so may be the third failure.
      const refusals = ['DEAD_LETTER.SETTLED', ...(accepted === 3 ? ['DEAD_LETTER.QUARANTINED'] : [])];
      expect(answers.filter(({ body }) => refusals.includes(String(body['code'])))).toHaveLength(10 - accepted);
      await desk.letterIn(id, accepted < 3 ? 'parked' : 'quarantined', accepted);
      for (let round = accepted + 1; round <= 3; round += 1) {
        expect((await desk.replay({ ids: [id] })).status).toBe(202);
        await desk.letterIn(id, round < 3 ? 'parked' : 'quarantined', round);
      }
      const refused = await desk.replay({ ids: [id] });
      expect(refused).toMatchObject({ status: 409, body: { code: 'DEAD_LETTER.QUARANTINED' } });
      const { body } = await mesh().api.call('GET', `/v1/admin/dead-letters/${id}`);
      expect(body['replay_history']).toMatchObject(
        [1, 2, 3].map((number) => ({ number, result: 'failed', code: 'VECTOR.DIMENSION_MISMATCH' })),
      );
      expect((await desk.letters('status=quarantined')).map((letter) => letter.id)).toEqual([id]);
    });

    it('are found by handler and by time, and tell when, how often and by what they failed', async () => {
      await giveUpABatch(mesh(), 'dated');
      const { id } = await desk.letterWith('subject=dated');
      const detail = await desk.letter(id);
      expect(detail).toMatchObject({ attempts: 1, message: expect.stringMatching(/\d/) });
      const [first, last] = [detail['first_failed_at'], detail['last_failed_at']].map((time) =>
        Date.parse(String(time)),
      );
      expect(first).toBeLessThanOrEqual(last!);
      expect(Math.abs(Date.now() - first!)).toBeLessThan(60_000);
      const found = async (filter: string): Promise<string[]> =>
        (await desk.letters(`subject=dated&${filter}`)).map((letter) => letter.id);
      const since = (ms: number): string => `since=${encodeURIComponent(new Date(ms).toISOString())}`;
      expect(await found('handler=vector.index-chunks')).toEqual([id]);
      expect(await found('handler=vector.remove-version')).toEqual([]);
      expect(await found(since(last!))).toEqual([id]);
      expect(await found(since(last! + 1))).toEqual([]);
    });

    it('are replayed by reason, oldest first, no more than the limit and no faster than the rate', async () => {
      const reason = 'VECTOR.DIMENSION_MISMATCH';
      const before = (await desk.letters(`code=${reason}&status=parked&limit=200`)).toReversed();
      const { status, body } = await desk.replay({ reason, limit: 2, rate: 1 });
      expect(status).toBe(202);
      const ids = before.map(({ id }) => id);
      expect(body).toMatchObject({
        matched: before.length,
        accepted: 2,
        letters: ids.slice(0, 2).map((id) => ({ id })),
      });
      const replayed = [];
      for (const { id, replays } of before.slice(0, 2)) replayed.push(await desk.letterIn(id, 'parked', replays + 1));
      const [first, second] = replayed.map((letter) => (letter['replay_history'] as Json[]).at(-1)!);
      const took = Date.parse(String(second!['finished_at'])) - Date.parse(String(first!['requested_at']));
      expect(took).toBeGreaterThanOrEqual(1_000);
      const others = new Map((await desk.letters(`code=${reason}&limit=200`)).map((letter) => [letter.id, letter]));
      expect(ids.slice(2).map((id) => others.get(id)?.replays)).toEqual(before.slice(2).map(({ replays }) => replays));
    });

    it('are left alone by a dry run, and discarded with a note', async () => {
      await giveUpABatch(mesh(), 'unwanted');
      const { id } = await desk.letterWith('subject=unwanted');
      const filter = { subject: 'unwanted', code: 'VECTOR.DIMENSION_MISMATCH' };
      const dry = await desk.replay({ filter, dry_run: true });
      expect(dry).toMatchObject({ status: 202, body: { dry_run: true, matched: 1, accepted: 1, letters: [{ id }] } });
      expect((await desk.letters('subject=unwanted'))[0]).toMatchObject({ status: 'parked', replays: 0 });
      const discarded = await mesh().api.call('POST', '/v1/admin/dead-letters/discard', { filter, note: 'a test' });
      expect(discarded).toMatchObject({ status: 200, body: { accepted: 1, refused: 0 } });
      expect(await desk.letters('subject=unwanted')).toEqual([]);
      expect((await desk.letters('subject=unwanted&status=discarded'))[0]!.id).toBe(id);
      const { body } = await mesh().api.call('GET', `/v1/admin/dead-letters/${id}`);
      expect(body['note']).toBe('a test');
      expect(await desk.replay({ ids: [id] })).toMatchObject({ status: 409, body: { code: 'DEAD_LETTER.SETTLED' } });
      expect(await desk.replay({ ids: ['x:vector.nothing'] })).toMatchObject({
        status: 404,
        body: { code: 'DEAD_LETTER.NOT_FOUND' },
      });
    });
  });
}
