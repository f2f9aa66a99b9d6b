import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import type { Mesh } from './mesh-fixture.js';

interface Context {
  readonly mesh: Mesh;
  /** Where it may fetch pages from. */
  readonly pagesPort: number;
}

/** What one idempotency key makes when a gateway is killed before it answers. */
export function describeKilledAnswers(context: () => Context): void {
  const mesh = (): Mesh => context().mesh;

  /** Leaves keys as such a gateway does, once their leases are over. */
  async function forgetAnswers(): Promise<void> {
    const database = mesh().drivers.openDatabase('gateway');
    const forget = 'UPDATE idempotency_key SET status = NULL, fingerprint = NULL, response = NULL';
    await database.query(`${forget}, leased_until = now() - interval '1 s'`);
    await database.close();
  }

  const send = (upload: object, key: string) => mesh().api.upload(upload, { 'idempotency-key': key });

  describe('an upload under a key whose gateway was killed before it answered', () => {
    it.each([
      ['that it names', { id: 'named' }],
      ['without an id', {}],
    ])('is one document %s, also when that failed', async (_, names) => {
      const upload = { ...names, text: ' \n ', collection: 'killed' };
      const key = `killed ${JSON.stringify(names)}`;
      const id = (await send(upload, key)).body['id'] as string;
      expect(await mesh().api.terminal(id)).toMatchObject({ status: 'failed', version: 1 });
      await forgetAnswers();
      expect(await send(upload, key)).toMatchObject({ status: 202, body: { id, version: 1 } });
      const another = await send(upload, `not ${key}`);
      expect([202, 409]).toContain(another.status);
      expect(another.body['id']).not.toBe(id);
    });

    it('is one document of an address that gives something else each time', async () => {
      let asked = 0;
      const server = createServer((_request, response) => void response.end(`Page, drawn ${(asked += 1)} times.`));
      const { pagesPort } = context();
      await once(server.listen(pagesPort, '127.0.0.1'), 'listening');
      const upload = { url: `http://127.0.0.1:${pagesPort}/page`, collection: 'killed' };
      const { id } = (await send(upload, 'fetched')).body;
      await forgetAnswers();
      expect(await send(upload, 'fetched')).toMatchObject({ status: 202, body: { id, version: 1 } });
      await forgetAnswers();
      expect((await send({ ...upload, chunk_size: 64 }, 'fetched')).body['id']).not.toBe(id);
      expect(asked).toBe(3);
      server.close();
    });

    it('is not taken for one that was corrected', async () => {
      const upload = { id: 'corrected', text: 'The minutes of May.', collection: 'killed', metadata: { of: 'April' } };
      expect((await send(upload, 'corrected')).status).toBe(202);
      await forgetAnswers();
      const corrected = await send({ ...upload, metadata: { of: 'May' } }, 'corrected');
      expect(corrected).toMatchObject({ status: 409, body: { code: 'DOCUMENT.ID_TAKEN' } });
    });
  });
}
