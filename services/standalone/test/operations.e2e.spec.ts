import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { describeDeadLetters } from './dead-letters.suite.js';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';
import { OperatorClient, type Json, type Saga } from './operator-client.js';

let dataDir: string;
let mesh: Mesh;
const desk = new OperatorClient(() => mesh);
beforeAll(async () => {
  dataDir = await newDataDir();
  mesh = await startMesh(dataDir);
});
afterAll(async () => {
  await mesh.close();
  await removeDataDir(dataDir);
});

describeDeadLetters(() => mesh);

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

/** While the table is locked, whoever needs it waits. */
async function withPointsHeld(work: () => Promise<void>): Promise<void> {
  const database = mesh.drivers.openDatabase('vector');
  try {
    await database.transaction(async (tx) => {
      await tx.query('LOCK TABLE point IN ACCESS EXCLUSIVE MODE');
      await work();
    });
  } finally {
    await database.close();
  }
}

describe('an index that is away', () => {
  it('leaves a failed document and a saga that cannot be undone; resume and replay make both whole', async () => {
    let documentId = '';
    let sagaId = '';
    await withoutPoints(async () => {
      const { body } = await mesh.api.upload({ text: 'The ferry leaves at dawn.', collection: 'ferries' });
      documentId = body['id'] as string;
      expect(await mesh.api.terminal(documentId, 120_000)).toMatchObject({ status: 'failed' });
      const stuck = await eventually(
        'failed compensation',
        async () => (await desk.sagas('state=compensation_failed'))[0],
      );
      expect(stuck).toMatchObject({ kind: 'document-ingestion', step: 'index', compensation_error: expect.anything() });
      sagaId = stuck.id;
      expect((await desk.sagas('state=compensating')).map(({ id }) => id)).toEqual([sagaId]);
      await eventually('metric', async () => {
        const { body: metrics } = await mesh.api.call('GET', '/metrics');
        return /ragmesh_sagas\{saga="document-ingestion",state="compensation_failed"\} 1/.exec(
          metrics['text'] as string,
        );
      });
    });
    expect((await mesh.api.call('POST', `/v1/admin/sagas/${sagaId}/resume`)).status).toBe(200);
    const saga = await desk.sagaIn(sagaId, 'failed');
    expect((saga['timeline'] as Json[]).map(({ status }) => status)).toEqual(
      expect.arrayContaining(['started', 'done', 'failed', 'undo failed', 'undo resumed']),
    );
    expect(await mesh.api.call('POST', `/v1/admin/sagas/${sagaId}/resume`)).toMatchObject({
      status: 409,
      body: { code: 'SAGA.ENDED' },
    });

    const filter = { subject: documentId, topic: 'chunks.embedded' };
    const { status, body } = await desk.replay({ filter });
    expect({ status, accepted: body['accepted'] }).toEqual({ status: 202, accepted: 1 });
    await eventually('a document that is ready', async () => {
      const { body: document } = await mesh.api.call('GET', `/v1/documents/${documentId}`);
      return document['status'] === 'ready' ? document : undefined;
    });
    const { body: found } = await mesh.api.call('POST', '/v1/search', { query: 'ferry', collection: 'ferries' });
    expect(found['results']).toHaveLength(1);
    const [letter] = await desk.letters(`subject=${documentId}&topic=chunks.embedded&status=replayed`);
    expect((await desk.letter(letter!.id))['replay_history']).toMatchObject([
      { number: 1, result: 'succeeded', code: null },
    ]);
    expect(await mesh.oracle.violations()).toEqual([]);
  });
});

describe('sagas', () => {
  it('that have no way back are not aborted, and are listed as overdue once their time is over', async () => {
    await withoutPoints(async () => {
      const { body } = await mesh.api.upload({ id: 'doomed', text: 'Soon gone.', collection: 'doomed' });
      await mesh.api.call('DELETE', `/v1/documents/${body['id'] as string}`);
      const [saga] = await desk.sagas('kind=document-deletion&state=running');
      const path = `/v1/admin/sagas/${saga!.id}/abort`;
      expect(await mesh.api.call('POST', path, { reason: 'second thoughts' })).toMatchObject({
        status: 409,
        body: { code: 'SAGA.NOT_ABORTABLE' },
      });
      const late = async (): Promise<string[]> =>
        (await desk.sagas('overdue=true&kind=document-deletion')).map(({ id }) => id);
      expect(await late()).toEqual([]);
      const database = mesh.drivers.openDatabase('document');
      await database.query(`UPDATE saga SET deadline = now() - interval '1 second' WHERE 'document.' || ref = $1`, [
        saga!.id,
      ]);
      await database.close();
      expect(await late()).toEqual([saga!.id]);
      expect((await mesh.api.call('POST', `/v1/admin/sagas/${saga!.id}/resume`)).status).toBe(200);
    });
    await eventually('the deletion', async () => {
      const { status } = await mesh.api.call('GET', '/v1/documents/doomed');
      return status === 404 ? status : undefined;
    });
  });

  it('are aborted with a reason, which the document tells, and nothing of it stays', async () => {
    let documentId = '';
    let sagaId = '';
    await withPointsHeld(async () => {
      const { body } = await mesh.api.upload({ text: 'Sent to the wrong shelf.', collection: 'shelf' });
      documentId = body['id'] as string;
      sagaId = (await desk.sagas('kind=document-ingestion&state=running'))[0]!.id;
      const aborted = await mesh.api.call('POST', `/v1/admin/sagas/${sagaId}/abort`, { reason: 'the wrong shelf' });
      expect(aborted).toMatchObject({ status: 200, body: { id: sagaId, data: { documentId } } });
      expect(['compensating', 'aborted']).toContain(aborted.body['state']);
    });
    expect(await desk.sagaIn(sagaId, 'aborted')).toMatchObject({ error: { message: 'the wrong shelf' } });
    expect(await mesh.api.terminal(documentId)).toMatchObject({
      status: 'failed',
      error: { code: 'DOCUMENT.CANCELLED', message: 'the wrong shelf' },
    });
    const again = await mesh.api.call('POST', `/v1/admin/sagas/${sagaId}/abort`, { reason: 'once more' });
    expect(again).toMatchObject({ status: 409, body: { code: 'SAGA.ENDED' } });
    const { body: found } = await mesh.api.call('POST', '/v1/search', { query: 'shelf', collection: 'shelf' });
    expect(found['results'] ?? []).toEqual([]);
    expect(await mesh.oracle.violations()).toEqual([]);
  });

  it('are listed page by page', async () => {
    const all = (await desk.sagas('limit=200')).map(({ id }) => id);
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
    const calls = {
      document: ['embedding', 'vector'],
      embedding: ['model'],
      gateway: ['document', 'embedding', 'generation', 'knowledge', 'model', 'retrieval'],
      knowledge: ['document', 'vector'],
      model: ['hub'],
      retrieval: [
        ...['embedding', 'embedding.rerank', 'generation', 'generation.writing', 'knowledge'],
        ...['vector.access', 'vector.dense', 'vector.lexical', 'vector.neighbours'],
      ],
    };
    const expected = Object.entries(calls).flatMap(([service, own]) => own.map((name) => `${service} ${name} closed`));
    expect(names.toSorted()).toEqual(expected.toSorted());
    const { body: metrics } = await mesh.api.call('GET', '/metrics');
    expect(metrics['text']).toContain('ragmesh_breaker_state{service="gateway",dependency="document"} 0');
  });
});
