import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { catalogue, encodePayload } from '@ragmesh/contracts';
import { withSignature } from '@ragmesh/messaging';
import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

let dataDir: string;
let mesh: Mesh;
beforeAll(async () => {
  dataDir = await newDataDir();
  mesh = await startMesh(dataDir);
});
afterAll(async () => {
  await mesh.close();
  await removeDataDir(dataDir);
});

type Json = Record<string, unknown>;
interface Letter extends Json {
  readonly id: string;
  readonly code: string;
  readonly subject: string;
  readonly status: string;
  readonly replays: number;
}

async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what} did not happen`);
    await delay(50);
  }
}

const letters = async (query: string): Promise<Letter[]> =>
  (await mesh.api.call('GET', `/v1/admin/dead-letters?${query}`)).body['data'] as Letter[];

const letterWith = (query: string, is: (letter: Letter) => boolean = () => true): Promise<Letter> =>
  eventually(`dead letter ${query}`, async () => (await letters(query)).find(is));

const letterIn = (id: string, status: string, replays: number): Promise<Json> =>
  eventually(`letter ${status} after ${replays}`, async () => {
    const { body } = await mesh.api.call('GET', `/v1/admin/dead-letters/${encodeURIComponent(id)}`);
    return body['status'] === status && body['replays'] === replays ? body : undefined;
  });

const replay = (body: Json) => mesh.api.call('POST', '/v1/admin/dead-letters/replay', body);

/** A batch that no index can take, as if the embedding service had sent it for `documentId`. */
async function publishBrokenBatch(documentId: string, words = 'nothing of value'): Promise<void> {
  const payload = create(catalogue.chunksEmbedded.schema, {
    documentId,
    version: 1n,
    collection: 'default',
    batches: 1,
    chunks: [{ ordinal: 0, text: words, start: 0, end: words.length }],
    dimension: 3,
    vectors: new Uint8Array(5),
  });
  const headers = {
    ce_id: uuidv7(),
    ce_type: 'chunks.embedded',
    ce_source: '/ragmesh/embedding',
    ce_specversion: '1.0',
    ce_time: new Date().toISOString(),
    ce_subject: documentId,
    ce_tenant: 'default',
    ce_correlation: `request of ${documentId}`,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  const value = encodePayload(catalogue.chunksEmbedded, payload);
  await mesh.bus.publish([
    { topic: 'chunks.embedded', partition: 0, key: documentId, headers: withSignature(headers, value), value },
  ]);
}

describe('dead letters', () => {
  it('are counted by cause and shown without a word of what they are about', async () => {
    await publishBrokenBatch('secretive', 'the merger with Acme');
    const { id } = await letterWith('subject=secretive');
    const { body: list } = await mesh.api.call('GET', '/v1/admin/dead-letters?subject=secretive&service=vector');
    expect(list).toMatchObject({
      groups: [{ service: 'vector', code: 'VECTOR.DIMENSION_MISMATCH', handler: 'vector.index-chunks', count: 1 }],
      unavailable: [],
      next_cursor: null,
    });
    const { status, body } = await mesh.api.call('GET', `/v1/admin/dead-letters/${id}`);
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
    for (const number of [1, 2, 3, 4, 5]) await publishBrokenBatch(`paged-${number}`);
    await mesh.bus.publish([
      { topic: 'document.created', partition: 0, key: 'paged', headers: {}, value: Buffer.alloc(0) },
    ]);
    // The one before, five batches, and an event that both of its consumers give up.
    await eventually('eight letters', async () => ((await letters('limit=200')).length === 8 ? true : undefined));
    const all = (await letters('limit=200')).map(({ id }) => id);
    const paged: string[] = [];
    let cursor = '';
    do {
      const { body } = await mesh.api.call(
        'GET',
        `/v1/admin/dead-letters?limit=2&cursor=${encodeURIComponent(cursor)}`,
      );
      paged.push(...(body['data'] as Letter[]).map(({ id }) => id));
      cursor = (body['next_cursor'] as string | null) ?? '';
    } while (cursor);
    expect(paged).toEqual(all);
    expect(new Set(all.map((id) => id.split(':').at(-1)!.split('.')[0])).size).toBeGreaterThan(1);
  });

  it('are replayed one at a time when ten ask at once, and quarantined after three replays in vain', async () => {
    await publishBrokenBatch('hopeless');
    const { id } = await letterWith('subject=hopeless');
    const answers = await Promise.all(Array.from({ length: 10 }, () => replay({ ids: [id] })));
    const accepted = answers.filter(({ status }) => status === 202).length;
    // One at a time: a second is accepted only once the first has failed, which may be quick; so may be the third failure.
    const refusals = ['DEAD_LETTER.SETTLED', ...(accepted === 3 ? ['DEAD_LETTER.QUARANTINED'] : [])];
    expect(answers.filter(({ body }) => refusals.includes(String(body['code'])))).toHaveLength(10 - accepted);
    await letterIn(id, accepted < 3 ? 'parked' : 'quarantined', accepted);
    for (let round = accepted + 1; round <= 3; round += 1) {
      expect((await replay({ ids: [id] })).status).toBe(202);
      await letterIn(id, round < 3 ? 'parked' : 'quarantined', round);
    }
    const refused = await replay({ ids: [id] });
    expect(refused).toMatchObject({ status: 409, body: { code: 'DEAD_LETTER.QUARANTINED' } });
    const { body } = await mesh.api.call('GET', `/v1/admin/dead-letters/${id}`);
    expect(body['replay_history']).toMatchObject(
      [1, 2, 3].map((number) => ({ number, result: 'failed', code: 'VECTOR.DIMENSION_MISMATCH' })),
    );
    expect((await letters('status=quarantined')).map((letter) => letter.id)).toEqual([id]);
  });

  it('are left alone by a dry run, and discarded with a note', async () => {
    await publishBrokenBatch('unwanted');
    const { id } = await letterWith('subject=unwanted');
    const filter = { subject: 'unwanted', code: 'VECTOR.DIMENSION_MISMATCH' };
    const dry = await replay({ filter, dry_run: true });
    expect(dry).toMatchObject({ status: 202, body: { dry_run: true, matched: 1, accepted: 1, letters: [{ id }] } });
    expect((await letters('subject=unwanted'))[0]).toMatchObject({ status: 'parked', replays: 0 });
    const discarded = await mesh.api.call('POST', '/v1/admin/dead-letters/discard', { filter, note: 'a test' });
    expect(discarded).toMatchObject({ status: 200, body: { accepted: 1, refused: 0 } });
    expect(await letters('subject=unwanted')).toEqual([]);
    expect((await letters('subject=unwanted&status=discarded'))[0]!.id).toBe(id);
    const { body } = await mesh.api.call('GET', `/v1/admin/dead-letters/${id}`);
    expect(body['note']).toBe('a test');
    expect(await replay({ ids: [id] })).toMatchObject({ status: 409, body: { code: 'DEAD_LETTER.SETTLED' } });
    expect(await replay({ ids: ['x:vector.nothing'] })).toMatchObject({
      status: 404,
      body: { code: 'DEAD_LETTER.NOT_FOUND' },
    });
  });
});

/** While the table is away, whoever needs it fails. */
async function withoutPoints(work: () => Promise<void>): Promise<void> {
  const database = mesh.drivers.openDatabase('vector');
  try {
    await database.query('ALTER TABLE point RENAME TO point_away');
    await work();
  } finally {
    await database.query('ALTER TABLE IF EXISTS point_away RENAME TO point');
    await database.close();
  }
}

interface Saga extends Json {
  readonly id: string;
  readonly state: string;
}

const sagas = async (query: string): Promise<Saga[]> =>
  (await mesh.api.call('GET', `/v1/admin/sagas?${query}`)).body['data'] as Saga[];

describe('an index that is away', () => {
  it('leaves a failed document and a saga that cannot be undone; resume and replay make both whole', async () => {
    let documentId = '';
    let sagaId = '';
    await withoutPoints(async () => {
      const { body } = await mesh.api.upload({ text: 'The ferry leaves at dawn.', collection: 'ferries' });
      documentId = body['id'] as string;
      expect(await mesh.api.terminal(documentId, 120_000)).toMatchObject({ status: 'failed' });
      const stuck = await eventually('failed compensation', async () => (await sagas('state=compensation_failed'))[0]);
      expect(stuck).toMatchObject({ kind: 'document-ingestion', step: 'index', compensation_error: expect.anything() });
      sagaId = stuck.id;
      expect((await sagas('state=compensating')).map(({ id }) => id)).toEqual([sagaId]);
      await eventually('metric', async () => {
        const { body: metrics } = await mesh.api.call('GET', '/metrics');
        return /ragmesh_sagas\{saga="document-ingestion",state="compensation_failed"\} 1/.exec(
          metrics['text'] as string,
        );
      });
    });
    expect((await mesh.api.call('POST', `/v1/admin/sagas/${sagaId}/resume`)).status).toBe(200);
    const saga = await eventually('undo', async () => {
      const { body } = await mesh.api.call('GET', `/v1/admin/sagas/${sagaId}`);
      return body['state'] === 'failed' ? body : undefined;
    });
    expect((saga['timeline'] as Json[]).map(({ status }) => status)).toEqual(
      expect.arrayContaining(['started', 'done', 'failed', 'undo failed', 'undo resumed']),
    );
    expect(await mesh.api.call('POST', `/v1/admin/sagas/${sagaId}/resume`)).toMatchObject({
      status: 409,
      body: { code: 'SAGA.ENDED' },
    });

    const filter = { subject: documentId, topic: 'chunks.embedded' };
    const { status, body } = await replay({ filter });
    expect({ status, accepted: body['accepted'] }).toEqual({ status: 202, accepted: 1 });
    await eventually('a document that is ready', async () => {
      const { body: document } = await mesh.api.call('GET', `/v1/documents/${documentId}`);
      return document['status'] === 'ready' ? document : undefined;
    });
    const { body: found } = await mesh.api.call('POST', '/v1/search', { query: 'ferry', collection: 'ferries' });
    expect(found['results']).toHaveLength(1);
    const [letter] = await letters(`subject=${documentId}&topic=chunks.embedded&status=replayed`);
    const { body: detail } = await mesh.api.call('GET', `/v1/admin/dead-letters/${letter!.id}`);
    expect(detail['replay_history']).toMatchObject([{ number: 1, result: 'succeeded', code: null }]);
    expect(await mesh.oracle.violations()).toEqual([]);
  }, 180_000);
});

describe('sagas', () => {
  it('that have no way back are not aborted', async () => {
    await withoutPoints(async () => {
      const { body } = await mesh.api.upload({ id: 'doomed', text: 'Soon gone.', collection: 'doomed' });
      await mesh.api.call('DELETE', `/v1/documents/${body['id'] as string}`);
      const [saga] = await sagas('kind=document-deletion&state=running');
      const path = `/v1/admin/sagas/${saga!.id}/abort`;
      expect(await mesh.api.call('POST', path, { reason: 'second thoughts' })).toMatchObject({
        status: 409,
        body: { code: 'SAGA.NOT_ABORTABLE' },
      });
      expect((await mesh.api.call('POST', `/v1/admin/sagas/${saga!.id}/resume`)).status).toBe(200);
    });
    await eventually('the deletion', async () => {
      const { status } = await mesh.api.call('GET', '/v1/documents/doomed');
      return status === 404 ? status : undefined;
    });
  }, 120_000);

  it('are listed page by page', async () => {
    const all = (await sagas('limit=200')).map(({ id }) => id);
    const { body } = await mesh.api.call('GET', '/v1/admin/sagas?limit=1');
    const next = await mesh.api.call('GET', `/v1/admin/sagas?limit=200&cursor=${body['next_cursor'] as string}`);
    const paged = [...(body['data'] as Saga[]), ...(next.body['data'] as Saga[])].map(({ id }) => id);
    expect(paged).toEqual(all);
    expect(all.length).toBeGreaterThan(1);
  });
});

describe('breakers', () => {
  it('of every service are listed and measured', async () => {
    await mesh.api.call('POST', '/v1/search', { query: 'anything' });
    const { body } = await mesh.api.call('GET', '/v1/admin/breakers');
    expect(body['unavailable']).toEqual([]);
    const names = (body['data'] as Json[]).map(({ service, dependency, state }) => `${service} ${dependency} ${state}`);
    expect(names).toEqual(
      expect.arrayContaining(['gateway document closed', 'gateway retrieval closed', 'retrieval embedding closed']),
    );
    const { body: metrics } = await mesh.api.call('GET', '/metrics');
    expect(metrics['text']).toContain('ragmesh_breaker_state{service="gateway",dependency="document"} 0');
  });
});
