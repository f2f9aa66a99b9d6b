import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue, documentV1 } from '@ragmesh/contracts';
import { embeddingService } from '@ragmesh/service-embedding';
import { vectorService } from '@ragmesh/service-vector';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { documentService } from '../src/document.service.js';
import { uploadMessages } from './upload-messages.js';

const MANY = 240;
const IN_FLIGHT = 8;
/** Uploads at the same instant do not see each other, so as many more may begin. */
const AT_ONCE = 5;
/** Those on their way are before one that comes late, and others overtake it on its way from service to service. */
const PASSING = 6 * IN_FLIGHT;

let mesh: ServiceMesh;
let folder: string;

const documents = () => mesh.client(documentV1.DocumentService);
const limits = { INGESTION_IN_FLIGHT: String(IN_FLIGHT), INGESTION_IN_FLIGHT_SHARED: String(IN_FLIGHT) };
const environment = () => ({ RAGMESH_DATA_DIR: folder, ...limits });

function upload(tenant: string, id: string, text = `The text ${id} of ${tenant} says something of its own.`) {
  return mesh.as(tenant, () => documents().upload(uploadMessages({ id, replace: true }, text)));
}

/** Uploads of one tenant, some at a time. */
async function uploadMany(tenant: string, ids: readonly string[]): Promise<void> {
  for (let at = 0; at < ids.length; at += AT_ONCE)
    await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => upload(tenant, id)));
}

async function query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  return (await mesh.database('document').query<Row>(sql, values)).rows;
}

const statusOf = async (tenant: string, id: string): Promise<string | undefined> =>
  (await query<{ status: string }>('SELECT status FROM document WHERE tenant = $1 AND id = $2', [tenant, id]))[0]
    ?.status;

const readyOf = async (tenant: string): Promise<number> =>
  (await query(`SELECT FROM document WHERE tenant = $1 AND status = 'ready'`, [tenant])).length;

const waitingOf = async (tenant: string): Promise<string[]> =>
  (
    await query<{ id: string }>('SELECT document_id AS id FROM waiting_ingestion WHERE tenant = $1 ORDER BY seq', [
      tenant,
    ])
  ).map(({ id }) => id);

const chunkedOf = (tenant: string): string[] =>
  mesh
    .eventsOf(catalogue.documentChunked)
    .filter((event) => event.tenant === tenant)
    .map(({ payload }) => payload.documentId);

const announcedOf = (id: string): number =>
  [...mesh.eventsOf(catalogue.documentCreated), ...mesh.eventsOf(catalogue.documentUpdated)].filter(
    ({ payload }) => payload.documentId === id,
  ).length;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-fairness-'));
  mesh = await ServiceMesh.start(
    catalogue.documentCreated.topic,
    catalogue.documentUpdated.topic,
    catalogue.documentChunked.topic,
  );
  await mesh.run(documentService, environment());
});
afterAll(async () => {
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The document service runs alone at first: nothing ends, so what has begun can be counted. */
describe('a tenant that uploads much', () => {
  const late: string[] = [];

  it('has few documents on their way, and another one is not behind the rest', async () => {
    await uploadMany(
      'many',
      Array.from({ length: MANY }, (_, at) => `m${at}`),
    );
    await upload('one', 'single');
    await eventually('the single one is cut', () => chunkedOf('one').includes('single'));
    const begun = MANY - (await waitingOf('many')).length;
    expect(begun).toBeGreaterThanOrEqual(IN_FLIGHT);
    expect(begun).toBeLessThan(IN_FLIGHT + AT_ONCE);
    await eventually('all that has begun is cut', () => new Set(chunkedOf('many')).size === begun);
    expect(await statusOf('many', `m${MANY - 1}`)).toBe('uploaded');
  });

  it('can call off, replace and delete what waits', async () => {
    const [cancelled, deleted, replaced] = (await waitingOf('many')).slice(-3) as [string, string, string];
    await mesh.as('many', () => documents().cancelDocument({ id: cancelled }));
    await mesh.as('many', () => documents().deleteDocument({ id: deleted }));
    await upload('many', replaced, 'Another text under the same id.');
    await eventually('it is called off', async () => (await statusOf('many', cancelled)) === 'failed');
    expect(await waitingOf('many')).not.toContain(cancelled);
    expect(await waitingOf('many')).not.toContain(deleted);
    expect((await waitingOf('many')).filter((id) => id === replaced)).toHaveLength(1);
    expect(announcedOf(cancelled) + announcedOf(deleted)).toBe(0);
  });

  it('loses nothing of what waits when the service restarts', async () => {
    const before = await waitingOf('many');
    await mesh.halt('document');
    await mesh.run(documentService, environment());
    expect(await waitingOf('many')).toEqual(before);
  });

  it('holds an upload of another tenant up by no more than what is on its way', async () => {
    await mesh.run(embeddingService, { ...environment(), APP_EMBEDDINGS_BACKEND: 'mock' });
    await mesh.run(vectorService, environment());
    await eventually('some are ready', async () => (await readyOf('many')) >= 10);
    const passing = async (number: number): Promise<number> => {
      expect((await waitingOf('many')).length).toBeGreaterThan(PASSING);
      const id = `late-${number}`;
      late.push(id);
      await upload('one', id);
      await eventually('the late one is ready', async () => (await statusOf('one', id)) === 'ready');
      const passed = await query(
        `SELECT FROM document m, document late WHERE late.id = $1 AND m.tenant = 'many' AND m.status = 'ready'
           AND m.updated_at BETWEEN late.created_at AND late.updated_at`,
        [id],
      );
      return passed.length;
    };
    // One that comes while its own service stands still is passed by more.
    expect(await withinAttempts(3, passing, (passed) => passed <= PASSING)).toBeLessThanOrEqual(PASSING);
  });

  it('gets all its documents, each begun once and in the context of its upload', async () => {
    const open = `SELECT FROM saga WHERE deadline IS NOT NULL UNION ALL SELECT FROM waiting_ingestion`;
    await eventually('nothing waits or runs', async () => (await query(open)).length === 0, 150_000);
    expect(await readyOf('many')).toBe(MANY - 2);
    expect(await readyOf('one')).toBe(1 + late.length);
    const unready = `SELECT id FROM document WHERE tenant = 'many' AND status <> 'ready'`;
    const rows = await query<{ id: string }>(unready);
    const others = Array.from({ length: MANY }, (_, at) => `m${at}`).filter((id) => !rows.some((row) => row.id === id));
    await eventually('all were told of', () => others.every((id) => announcedOf(id) > 0));
    expect(others.filter((id) => announcedOf(id) !== 1)).toEqual([]);
    const requests = await query(
      `SELECT DISTINCT request_id FROM saga WHERE name = 'document-ingestion' AND tenant = 'many'`,
    );
    expect(requests).toHaveLength(MANY + 1);
  });
});
