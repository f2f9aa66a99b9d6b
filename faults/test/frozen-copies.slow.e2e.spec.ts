import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database, createPool } from '@ragmesh/postgres';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { CopiedMesh } from './copied-mesh.js';

/** Longer than the lease of a relay (10 s) and a session (3 s on Kafka). */
const FROZEN_MS = 14_000;
const DOCUMENTS = 12;

function frozenCopies(kafka: boolean): void {
  let mesh: CopiedMesh;
  let embeddings: Database;
  beforeAll(async () => {
    mesh = await CopiedMesh.start({ kafka, copies: 2 });
    for (const service of ['model', 'vector', 'document', 'knowledge', 'generation', 'retrieval', 'gateway'] as const)
      await mesh.start(service);
    for (const copy of [0, 1]) await mesh.start('embedding', copy);
    embeddings = new Database(createPool(mesh.servers.postgres.url('ragmesh_embedding'), { max: 1 }));
  }, 240_000);
  afterAll(async () => {
    await embeddings?.close();
    await mesh?.close();
  });

  /** The copy that may publish now: its name begins with service and process. */
  const holder = async (): Promise<number | undefined> => {
    const sql = 'SELECT holder FROM outbox_lease WHERE expires_at > now()';
    const { rows } = await embeddings.query<{ holder: string }>(sql);
    return rows[0] && Number(rows[0].holder.split('-')[1]);
  };

  it('loses and doubles nothing when the copy that publishes and consumes is frozen past its lease and comes back', async () => {
    const { api } = mesh;
    const first = await api.upload({ text: 'The first words.' });
    await api.terminal(String(first.body['id']));
    const frozen = (await holder())!;
    const ids = Array.from({ length: DOCUMENTS }, (_, number) => `frozen-${number}`);
    const put = (id: string, words: string) =>
      api.call('PUT', `/v1/documents/${id}`, { text: `${words} of ${id}. `.repeat(800) });
    const uploads = ids.map((id) => put(id, 'First words'));
    await delay(100);
    process.kill(frozen, 'SIGSTOP');
    const thawed = delay(FROZEN_MS).then(() => process.kill(frozen, 'SIGCONT'));
    for (const { status } of await Promise.all(uploads)) expect(status).toBe(202);
    await eventually('the other copy publishes', async () => ![undefined, frozen].includes(await holder()));
    for (const { status } of await Promise.all(ids.map((id) => put(id, 'Second words')))) expect(status).toBe(202);
    for (const id of ids) expect((await api.terminal(id, 120_000)).status).toBe('ready');
    await thawed;
    for (const { status } of await Promise.all(ids.map((id) => put(id, 'Third words')))) expect(status).toBe(202);
    for (const id of ids) expect(await api.terminal(id, 120_000)).toMatchObject({ status: 'ready', version: 3 });
    expect(await mesh.servers.oracle.violations()).toEqual([]);
    // Rows were published in the order of their commits: places grow with numbers, per partition of a topic.
    const { rows } = await embeddings.query(
      `SELECT id FROM (SELECT id, published_offset,
         max(published_offset) OVER (PARTITION BY topic, key ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
       FROM outbox WHERE topic = 'chunks.embedded') AS placed WHERE before > published_offset`,
    );
    expect(rows).toEqual([]);
  }, 300_000);
}

describe('two copies of which one is frozen, over tables', () => frozenCopies(false));

describeWithServer('kafka', 'two copies of which one is frozen, over Kafka', () => frozenCopies(true));
