import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue, eventSpecs, type EventSpec, type ServiceName } from '@ragmesh/contracts';
import { encodeEvent, partitionForKey, type EncodedEvent } from '@ragmesh/messaging';
import { eventually } from '@ragmesh/testing';
import { newDataDir, removeDataDir, startMesh, type Mesh } from '../../services/standalone/test/mesh-fixture.js';
import { foreignPayloads, type Victim } from './foreign-events.js';
import { TenantRows } from './tenant-rows.js';

const VICTIM = 'default';
const INTRUDER = 'intruder';

let dataDir: string;
let mesh: Mesh;
let rows: TenantRows;
let victims: Victim[];
beforeAll(async () => {
  dataDir = await newDataDir();
  mesh = await startMesh(dataDir);
  rows = new TenantRows((service) => mesh.drivers.openDatabase(service));
  await mesh.api.upload({ id: 'ready', text: 'The zanzibar protocol pays 4711 crowns.' });
  await mesh.api.uploadFile('broken.pdf', Buffer.from('%PDF-1.7 and then nothing'));
  const { body } = await mesh.api.call('GET', '/v1/documents');
  const ids = (body['data'] as { id: string }[]).map(({ id }) => id);
  const views = await Promise.all(ids.map((id) => mesh.api.terminal(id)));
  expect(views.map(({ status }) => status).toSorted()).toEqual(['failed', 'ready']);
  victims = views.map(({ id, version, chunks }) => ({
    documentId: id,
    version: BigInt(version),
    collection: 'default',
    points: chunks,
  }));
});
afterAll(async () => {
  await rows?.close();
  await mesh?.close();
  await removeDataDir(dataDir);
});

/** An event as the services would sign it, about what is the victim's. */
function event(name: keyof typeof catalogue, victim: Victim, tenant: string): EncodedEvent {
  const spec = catalogue[name] as EventSpec;
  const source = `/ragmesh/${spec.producers[0]}`;
  const context = { source, tenant, actor: tenant, correlationId: 'spec', trace: {} };
  return encodeEvent(spec, victim.documentId, foreignPayloads[name](victim) as never, context);
}

async function send({ topic, key, headers, value }: EncodedEvent): Promise<void> {
  const partition = partitionForKey(key, mesh.bus.partitionsOf(topic));
  await mesh.bus.publish([{ topic, partition, key, headers, value }]);
}

/** Tables that grow by asking and by refusing, and take nothing from anybody. */
const NOTES = ['gateway.audit_entry', 'gateway.audit_outcome', 'vector.dead_letter'];

/** All that is the victim's, in rows and as a search shows it. */
async function seen(): Promise<unknown> {
  expect(await mesh.oracle.violations()).toEqual([]);
  const { body } = await mesh.api.call('POST', '/v1/search', { query: 'What does the zanzibar protocol pay?' });
  const results = body['results'] as { document_id: string; text: string }[];
  expect(results).not.toEqual([]);
  const tables = Object.entries(await rows.of(VICTIM)).filter(([table]) => !NOTES.includes(table));
  return { tables: Object.fromEntries(tables), results: results.map(({ document_id: id, text }) => [id, text]) };
}

const names = Object.keys(catalogue) as (keyof typeof catalogue)[];

describe('an event of one tenant that names what is another’s', () => {
  it('has a case for every type there is', () => {
    expect(names.map((name) => catalogue[name].type).toSorted()).toEqual(eventSpecs.map(({ type }) => type).toSorted());
    expect(Object.keys(foreignPayloads).toSorted()).toEqual(names.toSorted());
  });

  it('changes nothing that is the other’s, whatever its type', async () => {
    const before = await seen();
    const sent = new Map<ServiceName, string[]>();
    for (const victim of victims) {
      for (const name of names) {
        const made = event(name, victim, INTRUDER);
        await send(made);
        for (const service of catalogue[name].consumers) sent.set(service, [...(sent.get(service) ?? []), made.id]);
      }
    }
    for (const [service, ids] of sent)
      await eventually(`${service} has handled all`, async () => (await rows.unhandledBy(service, ids)).length === 0);
    expect(await seen()).toEqual(before);
  });

  it('is refused when its tenant was exchanged for the other’s on the way', async () => {
    const before = await seen();
    const made = event(
      'removeDocument',
      victims.find(({ points }) => points > 0)!,
      INTRUDER,
    );
    await send({ ...made, headers: { ...made.headers, ce_tenant: VICTIM } });
    const path = `/v1/admin/dead-letters?subject=${made.key}`;
    await eventually('it is given up', async () => {
      const { body } = await mesh.api.call('GET', path);
      return (body['data'] as { code: string }[]).some(({ code }) => code === 'EVENT.UNSIGNED');
    });
    expect(await seen()).toEqual(before);
  });

  it('would have changed it as an event of the other', async () => {
    const before = await seen();
    const victim = victims.find(({ points }) => points > 0)!;
    await send(event('removeDocument', victim, VICTIM));
    await eventually('its points are gone', async () => {
      const { 'vector.point': points } = await rows.of(VICTIM);
      return points?.length === 0;
    });
    expect(await rows.of(VICTIM)).not.toEqual((before as { tables: object }).tables);
  });
});
