import { expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { isRagmeshError } from '@ragmesh/errors';
import { withSignature, type OutgoingRecord } from '@ragmesh/messaging';
import { eventually, seeded, shuffled } from '@ragmesh/testing';
import type { FaultyStandalone } from './faulty-standalone.js';
import { onBothBuses } from './on-both-buses.js';

const SEEDS = [1, 20_261];
const DOCUMENTS = 50;
const EVENTS = 1_000;

const text = (id: string, version: number): string => `Version ${version} of ${id} tells of lighthouses. `.repeat(40);

const view = async ({ api }: FaultyStandalone, id: string) => {
  const { status, body } = await api.call('GET', `/v1/documents/${id}`);
  return { status, id: body['id'], state: body['status'], version: body['version'], chunks: body['chunks'] };
};

async function remove({ api }: FaultyStandalone, id: string): Promise<void> {
  expect((await api.call('DELETE', `/v1/documents/${id}`)).status).toBe(202);
  await eventually(`${id} is gone`, async () => (await api.call('GET', `/v1/documents/${id}`)).status === 404);
}

/** Uploads, updates twice and deletes some; what there is afterwards is what all its events told. */
async function live(mesh: FaultyStandalone, prefix: string, documents: number): Promise<string[]> {
  const ids = Array.from({ length: documents }, (_, number) => `${prefix}-${number}`);
  await Promise.all(
    ids.map(async (id, number) => {
      await mesh.api.upload({ id, text: text(id, 1), collection: prefix });
      for (const version of [2, 3]) {
        await mesh.api.terminal(id);
        const { status } = await mesh.api.call('PUT', `/v1/documents/${id}`, {
          text: text(id, version),
          collection: prefix,
        });
        expect(status).toBe(202);
      }
      expect(await mesh.api.terminal(id)).toMatchObject({ status: 'ready', version: 3 });
      if (number % 5 === 0) await remove(mesh, id);
    }),
  );
  return ids;
}

onBothBuses('events that come again', (mesh) => {
  it('three times each, have their effect once', async () => {
    let published = 0;
    mesh().faults.publish = async (records, write) => {
      published += records.length;
      const outcomes = await write(records.flatMap((record) => [record, record, record]));
      return outcomes.filter((_, index) => index % 3 === 2);
    };
    await live(mesh(), 'tripled', 10);
    expect(await mesh().oracle.violations()).toEqual([]);
    mesh().faults.publish = undefined;
    expect(published).toBeGreaterThan(100);
    const { body } = await mesh().api.call('GET', '/v1/admin/dead-letters');
    expect(body['data']).toEqual([]);
  });

  it.each(SEEDS)(
    'under new ids and in any order, change nothing (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const told: OutgoingRecord[] = [];
      mesh().faults.publish = (records, write) => {
        told.push(...records.filter(({ topic }) => !/\.(retry|dlt)$/.test(topic)));
        return write(records);
      };
      const ids = await live(mesh(), `shuffled-${seed}`, DOCUMENTS);
      expect(await mesh().oracle.violations()).toEqual([]);
      mesh().faults.publish = undefined;
      const before = await Promise.all(ids.map((id) => view(mesh(), id)));
      const again = shuffled(told, random)
        .slice(0, EVENTS)
        .map((record) => ({
          ...record,
          headers: withSignature({ ...record.headers, ce_id: uuidv7() }, record.value),
        }));
      expect(again).toHaveLength(EVENTS);
      for (let sent = 0; sent < EVENTS; sent += 50) await mesh().drivers.bus.publish(again.slice(sent, sent + 50));
      await settled(mesh(), again);
      expect(await mesh().oracle.violations()).toEqual([]);
      expect(await Promise.all(ids.map((id) => view(mesh(), id)))).toEqual(before);
    },
    300_000,
  );
});

/** While all these events are handled, a connection may be long in coming. */
function notNow(error: unknown): false {
  if (!isRagmeshError(error) || error.retry !== 'transient') throw error;
  return false;
}

/** Resolves once every event that the index or the documents listen to is done with. */
async function settled({ drivers }: FaultyStandalone, records: readonly OutgoingRecord[]): Promise<void> {
  for (const [service, topics] of Object.entries(listeners)) {
    const ids = records.filter(({ topic }) => topics.includes(topic)).map(({ headers }) => headers['ce_id']);
    const database = drivers.openDatabase(service as keyof typeof listeners);
    const sql =
      'SELECT count(DISTINCT event_id) AS done FROM inbox WHERE event_id = ANY($1) AND finished_at IS NOT NULL';
    const isDone = async (): Promise<boolean> => {
      const { rows } = await database.query<{ done: number }>(sql, [ids]);
      return rows[0]!.done === ids.length;
    };
    await eventually(`${service} is done`, () => isDone().catch(notNow), 120_000).finally(() => database.close());
  }
}

const listeners = {
  vector: ['chunks.embedded', 'vector.commands'],
  document: ['document.created', 'document.updated', 'vector.indexed', 'vector.updated', 'vector.deleted'],
};
