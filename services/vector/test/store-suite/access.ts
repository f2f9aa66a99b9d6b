import { randomUUID } from 'node:crypto';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { encodeEvent } from '@ragmesh/messaging';
import { EVERYTHING, inContext } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import { bytesOf, vectorOf } from '../document.builder.js';
import type { SuiteContext } from '../store-suite.js';
import { type VectorMesh } from '../vector-mesh.js';

const collection = 'vault';
const ada = ['jwt:ada', 'group:legal'];
const bob = ['jwt:bob'];

const asReader = <T>(principals: readonly string[], work: () => T): T =>
  inContext({ tenant: 'default', requestId: randomUUID(), subject: 'spec', principals }, work);

/** Ids of the documents each way to look finds for somebody, with at most `topK` of each. */
async function found({ client }: VectorMesh, principals: readonly string[], topK = 10): Promise<string[][]> {
  const [query, vector] = ['falcon', bytesOf(vectorOf('falcon'))];
  return asReader(principals, async () => {
    const legs = [
      await client.searchLexical({ collection, query, topK }),
      await client.searchDense({ collection, vector, topK }),
      await client.searchHybrid({ collection, query, vector, topK, alpha: 0.5, withChunks: topK }),
    ];
    return legs.map(({ hits }) => [...new Set(hits.map(({ documentId }) => documentId))].toSorted());
  });
}

const alike = (documents: string[]): string[][] => [documents, documents, documents];

const stampOf = ({ client }: VectorMesh) =>
  asReader([EVERYTHING], async () => (await client.getAccess({ collection })).stamp);

async function change(
  mesh: VectorMesh,
  documentId: string,
  principals: string[] | null,
  revision: bigint,
): Promise<void> {
  const access = { restricted: principals !== null, principals: principals ?? [], revision };
  const payload = { collection, documentId, access, changedAt: timestampNow() };
  const context = { source: '/ragmesh/spec', tenant: 'default', actor: 'spec', correlationId: randomUUID(), trace: {} };
  await mesh.send(encodeEvent(catalogue.accessChanged, documentId || collection, payload, context));
}

const restrict = ({ client }: VectorMesh, documentId: string, principals: string[], revision: bigint) =>
  asReader([EVERYTHING], () => client.restrictAccess({ collection, documentId, principals, revision }));

/** Who may read is part of what is searched for, in every store. */
export function accessSuite(context: () => SuiteContext): void {
  describe('access lists', () => {
    it('are there before anybody sees the document, and hold inside the search', async () => {
      const { mesh } = context();
      // So many that hits taken out afterwards would leave none.
      const secret = { id: 'secret', texts: Array.from({ length: 30 }, () => 'falcon falcon'), collection };
      await mesh.stage(secret);
      const access = { restricted: true, principals: ['group:legal'], revision: 1n };
      const shown = { documentId: 'secret', version: 1n, collection, expectedPoints: 30n, access };
      await mesh.send(mesh.event(catalogue.showVersion, shown));
      const open = { id: 'open', texts: ['falcon over an open field', 'falcon again'], collection };
      await mesh.stage(open);
      await mesh.show(open);
      expect(await found(mesh, bob, 2)).toEqual(alike(['open']));
      expect(await found(mesh, [], 2)).toEqual(alike(['open']));
      expect(await found(mesh, ada, 40)).toEqual(alike(['open', 'secret']));
      expect(await found(mesh, [EVERYTHING], 40)).toEqual(alike(['open', 'secret']));
    });

    it('hold for chunks read by id and for neighbours', async () => {
      const { mesh } = context();
      const read = (principals: readonly string[]) =>
        asReader(principals, async () => {
          const { hits } = await asReader(ada, () =>
            mesh.client.searchLexical({ collection, query: 'falcon', topK: 1 }),
          );
          const [pointIds, place] = [hits.map(({ pointId }) => pointId), { collection, documentId: 'secret' }];
          const points = await mesh.client.getPoints({ collection, pointIds });
          const near = await mesh.client.getNeighbours({ ...place, version: 1n, ordinals: [1, 2] });
          return [points.hits.length, near.hits.length];
        });
      expect(await read(ada)).toEqual([1, 2]);
      expect(await read(bob)).toEqual([0, 0]);
    });

    it('hide at once when they become narrower, and never by an older list', async () => {
      const { mesh } = context();
      const before = await stampOf(mesh);
      await restrict(mesh, 'open', ['jwt:ada'], 5n);
      expect(await found(mesh, bob)).toEqual(alike([]));
      expect(await found(mesh, ada, 40)).toEqual(alike(['open', 'secret']));
      expect(await stampOf(mesh)).toBeGreaterThan(before);
      await change(mesh, 'open', null, 4n);
      expect(await found(mesh, bob)).toEqual(alike([]));
      const outdated = { code: 'DEPENDENCY.UNAVAILABLE', retry: 'transient' };
      await expect(restrict(mesh, 'open', ['jwt:eve'], 4n)).rejects.toMatchObject(outdated);
      await restrict(mesh, 'open', ['jwt:ada'], 5n);
    });

    it('are told anew by events, wider ones too, and each tells kept results from those before', async () => {
      const { mesh } = context();
      const before = await stampOf(mesh);
      await change(mesh, 'open', ['jwt:ada', 'jwt:bob'], 5n);
      expect(await found(mesh, bob)).toEqual(alike(['open']));
      const between = await stampOf(mesh);
      expect(between).toBeGreaterThan(before);
      await change(mesh, 'open', null, 6n);
      expect(await found(mesh, [])).toEqual(alike(['open']));
      expect(await stampOf(mesh)).toBeGreaterThan(between);
    });

    it('of a new version are those of the document, whatever came first', async () => {
      const { mesh } = context();
      const next = { id: 'secret', version: 2, texts: ['falcon of the second version'], collection };
      await mesh.stage(next);
      await mesh.show(next);
      expect(await found(mesh, bob)).toEqual(alike(['open']));
      expect(await found(mesh, ada)).toEqual(alike(['open', 'secret']));
      await mesh.restart();
      expect(await found(mesh, bob)).toEqual(alike(['open']));
      expect(await found(mesh, ada)).toEqual(alike(['open', 'secret']));
    });

    it('of a collection hold for everything in it', async () => {
      const { mesh } = context();
      await restrict(mesh, '', ['jwt:bob'], 1n);
      expect(await found(mesh, ada)).toEqual(alike([]));
      expect(await found(mesh, bob)).toEqual(alike(['open']));
      await change(mesh, '', null, 1n);
      await eventually('the wider list holds', async () => (await found(mesh, ada)).flat().length === 6);
    });

    it('never let through what they hide while readers search and lists change', async () => {
      const { mesh } = context();
      // Odd while nobody may find it.
      let [searching, phase] = [true, 0];
      const leaks: string[][] = [];
      const search = async (): Promise<void> => {
        while (searching) {
          const began = phase;
          const seen = (await found(mesh, bob)).flat();
          if (began === phase && phase % 2 === 1 && seen.includes('open')) leaks.push(seen);
        }
      };
      const running = [search(), search()];
      for (let revision = 10n; revision < 20n; revision += 2n) {
        await restrict(mesh, 'open', ['jwt:ada'], revision);
        phase++;
        await found(mesh, bob);
        phase++;
        await change(mesh, 'open', null, revision + 1n);
      }
      searching = false;
      await Promise.all(running);
      expect(leaks).toEqual([]);
    });
  });
}
