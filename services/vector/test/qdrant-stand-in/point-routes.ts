import { collectionOf } from './collection-routes.js';
import { checkFilter, type QdrantFilter } from './payload-filter.js';
import { search, type Query } from './point-search.js';
import type { Call, Route, Storage } from './qdrant-stand-in.js';
import type { Selector, StoredCollection, Written } from './stored-collection.js';
import { readPoints, type Payload, type StoredPoint } from './stored-point.js';

type PayloadSelector = boolean | string[] | { include?: string[]; exclude?: string[] };

/** Which parts of a point an answer carries. */
interface Shown {
  readonly with_payload?: PayloadSelector;
  readonly with_vector?: boolean;
}

type Operation = { upsert: unknown } | { delete: Selector } | { set_payload: Selector & { payload: Payload } };

interface ScrollRequest extends Shown {
  readonly filter?: QdrantFilter;
  readonly limit?: number;
  readonly offset?: string | number;
  readonly order_by?: { key: string; direction?: 'asc' | 'desc' };
}

/** Points: written, found, scrolled, counted, deleted. */
export class PointRoutes {
  readonly routes: readonly Route[] = [
    ['PUT', /^\/collections\/([^/]+)\/points$/, (call) => this.upsert(call)],
    ['POST', /^\/collections\/([^/]+)\/points$/, (call) => this.retrieve(call)],
    ['POST', /^\/collections\/([^/]+)\/points\/query$/, (call) => this.query(call, call.body, 'query_request')],
    ['POST', /^\/collections\/([^/]+)\/points\/query\/batch$/, (call) => this.queryBatch(call)],
    ['POST', /^\/collections\/([^/]+)\/points\/scroll$/, (call) => this.scroll(call)],
    [
      'POST',
      /^\/collections\/([^/]+)\/points\/count$/,
      (call) => ({ count: this.select(call, 'count_request').length }),
    ],
    ['POST', /^\/collections\/([^/]+)\/points\/payload$/, (call) => this.setPayload(call)],
    ['POST', /^\/collections\/([^/]+)\/points\/payload\/delete$/, (call) => this.deletePayload(call)],
    ['POST', /^\/collections\/([^/]+)\/points\/batch$/, (call) => this.batch(call)],
    ['POST', /^\/collections\/([^/]+)\/points\/delete$/, ({ names, body }) => this.open(names).delete(body)],
    ['POST', /^\/collections\/([^/]+)\/facet$/, (call) => this.facet(call)],
  ];

  constructor(private readonly storage: Storage) {}

  private open(names: readonly string[]): StoredCollection {
    return collectionOf(this.storage, names[0]!);
  }

  private upsert({ names, body, wait }: Call): Written {
    const points = readPoints(body);
    return this.open(names).upsert(points, wait);
  }

  private retrieve({ names, body }: Call): object[] {
    const found = this.open(names).select({ points: body.ids as string[] });
    return found.map((point) => shown(point, { with_payload: true, ...body }));
  }

  private query({ names, text }: Call, query: Query & Shown, place: string): object {
    checkFilter(query.filter, `${place}.filter`, text);
    const points = search(this.open(names), query).map(({ point, score }) => {
      const { id, ...parts } = shown(point, query);
      return { id, version: point.version, score, ...parts };
    });
    return { points };
  }

  private queryBatch(call: Call): object[] {
    const searches = call.body.searches as Query[];
    return searches.map((query, at) => this.query(call, query, `query_request_batch.searches[${at}]`));
  }

  private scroll(call: Call): object {
    const { limit = 10, offset, order_by: order, ...parts } = call.body as ScrollRequest;
    const all = this.select(call, 'scroll_request');
    if (order) {
      const valueOf = ({ payload }: StoredPoint): number => valueAt(payload, order.key) as number;
      const sign = order.direction === 'desc' ? -1 : 1;
      const sorted = all.toSorted((a, b) => sign * (valueOf(a) - valueOf(b))).slice(0, limit);
      const points = sorted.map((point) => ({
        ...shown(point, { with_payload: true, ...parts }),
        order_value: valueOf(point),
      }));
      return { points, next_page_offset: null };
    }
    const rest = offset === undefined || offset === null ? all : all.filter(({ id }) => id >= offset);
    const points = rest.slice(0, limit).map((point) => shown(point, { with_payload: true, ...parts }));
    return { points, next_page_offset: rest[limit]?.id ?? null };
  }

  private setPayload({ names, body }: Call): Written {
    return this.open(names).setPayload(body.payload as Payload, body);
  }

  private deletePayload({ names, body }: Call): Written {
    return this.open(names).deletePayload(body.keys as string[], body);
  }

  /** In order, each on its own: what comes before a refused one stays done. */
  private batch({ names, body }: Call): Written[] {
    const collection = this.open(names);
    return (body.operations as Operation[]).map((operation) => {
      if ('upsert' in operation) return collection.upsert(readPoints(operation.upsert), true);
      if ('delete' in operation) return collection.delete(operation.delete);
      return collection.setPayload(operation.set_payload.payload, operation.set_payload);
    });
  }

  private facet(call: Call): object {
    const counts = new Map<unknown, number>();
    for (const { payload } of this.select(call, 'facet_request')) {
      const value = valueAt(payload, call.body.key as string);
      if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (String(a) < String(b) ? -1 : 1));
    const hits = sorted.slice(0, (call.body.limit as number | undefined) ?? 10);
    return { hits: hits.map(([value, count]) => ({ value, count })) };
  }

  private select({ names, body, text }: Call, place: string): StoredPoint[] {
    const filter = body.filter as QdrantFilter | undefined;
    checkFilter(filter, `${place}.filter`, text);
    return this.open(names).select(filter ? { filter } : {});
  }
}

const valueAt = (payload: Payload, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Payload | undefined)?.[name], payload);

function shown({ id, payload, vectors }: StoredPoint, { with_payload: selector = false, with_vector = false }: Shown) {
  const parts = selector === false ? {} : { payload: selected(payload, selector) };
  return { id, ...structuredClone(parts), ...(with_vector ? { vector: vectors } : {}) };
}

function selected(payload: Payload, selector: Exclude<PayloadSelector, false>): Payload {
  if (selector === true) return payload;
  const include = Array.isArray(selector) ? selector : selector.include;
  const exclude = Array.isArray(selector) ? undefined : selector.exclude;
  const isShown = (name: string): boolean => (include?.includes(name) ?? true) && !(exclude?.includes(name) ?? false);
  return Object.fromEntries(Object.entries(payload).filter(([name]) => isShown(name)));
}
