import { isRagmeshError } from '@ragmesh/errors';
import type { QdrantClient, Schemas } from '@qdrant/js-client-rest';
import { readsEverything, type AccessList } from '@ragmesh/observability';
import type { MetadataFilter } from '../../domain/metadata-filter.js';
import { numberedQuery } from '../../domain/sparse-bm25.js';
import type { DocumentKey } from '../document-index.repository.js';
import type { DocumentPoints, StoreBatch, VersionRange } from '../point.repository.js';
import type { Principals, Scope } from '../vector-store.js';
import type { QdrantCollections } from './qdrant-collections.js';
import type { QdrantConnection } from './qdrant-connection.js';
import { compileFilter } from './qdrant-filter.js';
import {
  accessTags,
  heldFields,
  heldOf,
  keyFields,
  keyOf,
  toQdrant,
  type FoundPoint,
  type HeldPoint,
} from './qdrant-point.js';

type Condition = Schemas['Condition'];
type Filter = Schemas['Filter'];

/** What a leg is asked. Where the filter is not exact in Qdrant's terms, further points may be among those it finds. */
export interface LegQuery {
  readonly limit: number;
  readonly filter?: MetadataFilter | undefined;
  /** Only these points. */
  readonly among?: readonly string[] | undefined;
  /** In this collection of Qdrant instead of the one readers see. */
  readonly name?: string | undefined;
  readonly principals: Principals;
}

const UPSERT_POINTS = 128;
const SCROLL_POINTS = 1_000;

/**
 * The points in Qdrant. The only place that asks for them, so the only place where a query gets its tenant: each one is
 * limited to one tenant here, but for the reconciler's walk over everything.
 */
export class QdrantPoints {
  constructor(
    private readonly connection: QdrantConnection,
    private readonly collections: QdrantCollections,
    /** Terms of a usual chunk, see `bm25Vector`. */
    private readonly averageLength: number,
  ) {}

  /** Stores points under their ids; the same again changes nothing. All can be found once it resolves. */
  async upsert(batch: StoreBatch, visible: boolean): Promise<string> {
    try {
      return await this.upsertInto(await this.collections.ensure(batch), batch, visible);
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.collections.forget(); // the server lost what this process had seen
      return this.upsertInto(await this.collections.ensure(batch), batch, visible);
    }
  }

  async dense(scope: Scope, vector: Float32Array, query: LegQuery): Promise<FoundPoint[]> {
    return this.find(scope, { query: Array.from(vector), using: 'dense' }, query);
  }

  async lexical(scope: Scope, text: string, query: LegQuery): Promise<FoundPoint[]> {
    const terms = numberedQuery([scope.tenant, scope.collection], text);
    if (terms.indices.length === 0) return [];
    return this.find(scope, { query: terms, using: 'lexical' }, query);
  }

  /** Where the visible points of these ids are; their order is lost. */
  async locate(scope: Scope, pointIds: readonly string[]): Promise<FoundPoint[]> {
    const filter = visibleOf(scope, [{ has_id: [...pointIds] }]);
    const page = { filter, limit: pointIds.length, with_payload: keyFields };
    const { points } = await this.ask(scope, (client, alias) => client.scroll(alias, page), { points: [] });
    return points.map(({ id, payload }) => ({ ...keyOf(payload), pointId: String(id), score: 0 }));
  }

  /** How many points the generation readers see has of a version. */
  async countLive(document: DocumentPoints, version: number): Promise<number> {
    const filter = ofDocument(document, { exactly: version });
    const none = { count: 0 };
    return (await this.ask(document, (client, alias) => client.count(alias, { filter, exact: true }), none)).count;
  }

  /** How many points there are of some versions, in any generation. */
  async count(document: DocumentPoints, versions: VersionRange): Promise<number> {
    const filter = ofDocument(document, versions);
    const counts = await this.everywhere((client, name) => client.count(name, { filter, exact: true }));
    return counts.reduce((sum, { count }) => sum + count, 0);
  }

  /** Lets searches find a version; which of two they return is decided by the rows. */
  async show(document: DocumentPoints, version: number): Promise<void> {
    const change = { wait: true, payload: { visible: true }, filter: ofDocument(document, { exactly: version }) };
    await this.everywhere((client, name) => client.setPayload(name, change));
  }

  /** Marks every point of a document with who may find it. */
  async tag(document: DocumentPoints, access: AccessList): Promise<void> {
    const change = { wait: true, payload: accessTags(access), filter: ofDocument(document, 'all') };
    await this.everywhere((client, name) => client.setPayload(name, change));
  }

  async remove(document: DocumentPoints, versions: VersionRange): Promise<void> {
    const filter = ofDocument(document, versions);
    await this.everywhere((client, name) => client.delete(name, { wait: true, filter }));
  }

  async removePoints(name: string, pointIds: readonly string[], { tenant }: Pick<Scope, 'tenant'>): Promise<void> {
    const filter = { must: [match('tenant', tenant), { has_id: [...pointIds] }] };
    await unlessGone(
      this.connection.write((client) => client.delete(name, { wait: true, filter })),
      undefined,
    );
  }

  /** Removes what a tenant's collection has in one of Qdrant's. */
  async removeCollection({ tenant, collection }: Scope, name: string): Promise<void> {
    const filter = { must: [match('tenant', tenant), match('collection', collection)] };
    await unlessGone(
      this.connection.write((client) => client.delete(name, { wait: true, filter })),
      undefined,
    );
  }

  /** How many points one of Qdrant's collections has, of all tenants or those a filter names. */
  async size(name: string, filter?: Filter): Promise<number> {
    const request = { exact: true, ...(filter && { filter }) };
    const none = { count: 0 };
    return (
      await unlessGone(
        this.connection.read((client) => client.count(name, request)),
        none,
      )
    ).count;
  }

  /** The one of Qdrant's collections that has the points of a generation of a tenant's; undefined when it has none. */
  async holder(scope: Scope, generation: number): Promise<string | undefined> {
    return (await this.holders(scope, generation).next()).value;
  }

  /** All of them: points written while its model changed may lie in another one. */
  async *holders({ tenant, collection }: Scope, generation: number): AsyncGenerator<string, undefined> {
    const filter = { must: [match('tenant', tenant), match('collection', collection)] };
    for (const { name, space } of await this.collections.existing())
      if (space.generation === generation && (await this.size(name, filter)) > 0) yield name;
  }

  /** How many points there are of every tenant. */
  async total(): Promise<number> {
    const counts = await this.everywhere((client, name) => client.count(name, { exact: true }));
    return counts.reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * Every point of some documents, or of all tenants' documents when none are named. Where they are of several tenants, points of
   * one tenant's document may come that was named of another.
   */
  async *held(documents?: readonly DocumentKey[]): AsyncGenerator<HeldPoint> {
    const filter = documents && {
      must: [
        oneOf(
          'tenant',
          documents.map(({ tenant }) => tenant),
        ),
        oneOf(
          'document_id',
          documents.map(({ documentId }) => documentId),
        ),
      ],
    };
    for (const { name } of await this.collections.existing()) {
      let offset: Schemas['ExtendedPointId'] | undefined;
      do {
        const page = {
          limit: SCROLL_POINTS,
          with_payload: heldFields,
          ...(filter && { filter }),
          ...(offset && { offset }),
        };
        const { points, next_page_offset: next } = await unlessGone(
          this.connection.read((client) => client.scroll(name, page)),
          { points: [], next_page_offset: null },
        );
        for (const { id, payload } of points) yield heldOf(String(id), payload, name);
        offset = typeof next === 'string' || typeof next === 'number' ? next : undefined;
      } while (offset !== undefined);
    }
  }

  private async upsertInto(name: string, batch: StoreBatch, visible: boolean): Promise<string> {
    for (let at = 0; at < batch.points.length; at += UPSERT_POINTS) {
      const points = batch.points
        .slice(at, at + UPSERT_POINTS)
        .map((point) => toQdrant(point, batch, visible, this.averageLength));
      await this.connection.write((client) => client.upsert(name, { wait: true, points }));
    }
    return name;
  }

  private async find(
    scope: Scope,
    leg: Pick<Schemas['QueryRequest'], 'query' | 'using'>,
    { limit, filter, among, name, principals }: LegQuery,
  ): Promise<FoundPoint[]> {
    const { condition } = filter ? compileFilter(filter) : { condition: undefined };
    const conditions = [condition ?? [], among ? { has_id: [...among] } : [], readableBy(principals)].flat();
    const request = { ...leg, limit, filter: visibleOf(scope, conditions), with_payload: keyFields };
    const { points } = await this.ask(scope, (client, alias) => client.query(name ?? alias, request), {
      points: [],
    });
    return points.map(({ id, payload, score }) => ({ ...keyOf(payload), pointId: String(id), score }));
  }

  /** @param empty the answer for a collection that never got a point. */
  private async ask<T>(scope: Scope, call: (client: QdrantClient, alias: string) => Promise<T>, empty: T): Promise<T> {
    return unlessGone(
      this.connection.read((client) => call(client, this.collections.alias(scope))),
      empty,
    );
  }

  private async everywhere<T>(call: (client: QdrantClient, name: string) => Promise<T>): Promise<T[]> {
    const existing = await this.collections.existing();
    const answers = existing.map(async ({ name }) => [await this.connection.write((client) => call(client, name))]);
    return (await Promise.all(answers.map((answer) => unlessGone(answer, [])))).flat();
  }
}

const isMissing = (error: unknown): boolean => isRagmeshError(error) && error.code === 'COLLECTION.NOT_FOUND';

/** What was listed a moment ago may be dropped by now, with all it had. @param gone the answer then. */
async function unlessGone<T>(answer: Promise<T>, gone: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return gone;
    throw error;
  }
}

const match = (key: string, value: string | number | boolean): Condition => ({ key, match: { value } });

const oneOf = (key: string, values: readonly string[]): Condition => {
  const [first, ...rest] = new Set(values);
  return rest.length === 0 ? match(key, first!) : { key, match: { any: [first!, ...rest] } };
};

const visibleOf = ({ tenant, collection }: Scope, conditions: readonly Condition[]): Filter => ({
  must: [match('tenant', tenant), match('collection', collection), match('visible', true), ...conditions],
});

/** Everyone of the tenant may find what is not restricted. */
function readableBy(principals: Principals): Condition[] {
  if (readsEverything(principals)) return [];
  const open: Condition = { must_not: [match('restricted', true)] };
  if (principals.length === 0) return [open];
  return [{ should: [open, { key: 'access', match: { any: [...principals] } }] }];
}

function ofDocument({ tenant, collection, documentId }: DocumentPoints, versions: VersionRange): Filter {
  const must = [match('tenant', tenant), match('collection', collection), match('document_id', documentId)];
  if (versions === 'all') return { must };
  if ('exactly' in versions) return { must: [...must, match('version', versions.exactly)] };
  return { must: [...must, { key: 'version', range: { lt: versions.below } }] };
}
