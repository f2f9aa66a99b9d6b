import { passes, type QdrantFilter } from './payload-filter.js';
import { badFormat, wrongInput } from './qdrant-refusal.js';
import { isSparse, normalised, type Payload, type PointInput, type StoredPoint } from './stored-point.js';

export interface CollectionParameters {
  readonly vectors: Readonly<Record<string, { size: number; distance: string }>>;
  readonly sparse_vectors?: Readonly<Record<string, { modifier?: string }>>;
  readonly hnsw_config?: object;
  readonly on_disk_payload?: boolean;
  readonly optimizers_config?: { default_segment_number?: number };
}

export type Written = { readonly operation_id: number; readonly status: 'completed' | 'acknowledged' };

/** Which points an operation is about. */
export interface Selector {
  readonly points?: readonly (string | number)[];
  readonly filter?: QdrantFilter;
}

const distances = ['Cosine', 'Dot', 'Euclid', 'Manhattan'];

/** @throws QdrantRefusal for parameters the server cannot read. */
export function readParameters(body: unknown, text: string): CollectionParameters {
  const { vectors } = body as { vectors?: Record<string, unknown> };
  const isVector = (value: unknown): boolean => {
    const { size, distance } = (value ?? {}) as { size?: unknown; distance?: unknown };
    return Number.isInteger(size) && (size as number) > 0 && distances.includes(String(distance));
  };
  if (!vectors || !Object.values(vectors).every(isVector)) {
    throw badFormat('data did not match any variant of untagged enum VectorsConfig', text);
  }
  return body as CollectionParameters;
}

/** One collection in memory. Operations are numbered as the server numbers them; every write is done when it answers. */
export class StoredCollection {
  readonly points = new Map<string | number, StoredPoint>();
  private readonly indexes = new Map<string, unknown>();
  private operations = 0;
  private sequence = 0;

  constructor(
    readonly parameters: CollectionParameters,
    private readonly firstOfEquals: readonly string[],
  ) {}

  createIndex(field: string, schema: unknown): Written {
    this.operations += 2; // an index is one operation to build it and one to use it
    this.indexes.set(field, schema);
    return this.written();
  }

  upsert(points: readonly PointInput[], wait: boolean): Written {
    for (const { vector } of points) this.checkDimensions(vector);
    this.operations++;
    for (const { vector } of points) this.checkNames(vector);
    for (const { id, vector, payload } of points) {
      const vectors = Object.fromEntries(
        Object.entries(vector).map(([name, value]) => [name, isSparse(value) ? value : normalised(value)]),
      );
      const point = { id, vectors, payload: payload ?? {}, version: this.operations, sequence: this.place(id) };
      this.points.delete(id);
      this.points.set(id, point);
    }
    return wait ? this.written() : { operation_id: this.operations, status: 'acknowledged' };
  }

  setPayload(payload: Payload, selector: Selector): Written {
    return this.write(selector, (point) => Object.assign(point.payload, structuredClone(payload)));
  }

  deletePayload(keys: readonly string[], selector: Selector): Written {
    return this.write(selector, ({ payload }) => {
      for (const key of keys) {
        const names = key.split('.');
        const last = names.pop()!;
        const holder = names.reduce<Payload | undefined>(
          (inner, name) => inner?.[name] as Payload | undefined,
          payload,
        );
        if (holder) delete holder[last];
      }
    });
  }

  delete(selector: Selector): Written {
    return this.write(selector, ({ id }) => void this.points.delete(id));
  }

  /** In the order of their ids, as a scroll gives them. */
  select({ points, filter }: Selector): StoredPoint[] {
    const known = points ? points.flatMap((id) => this.points.get(id) ?? []) : [...this.points.values()];
    return known.filter((point) => passes(filter, point)).sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
  }

  describe(): object {
    const { vectors, sparse_vectors, hnsw_config, on_disk_payload = true, optimizers_config } = this.parameters;
    const segments = optimizers_config?.default_segment_number ?? 0;
    const indexed = [...this.indexes].map(([field, schema]) => [field, this.describeIndex(field, schema)]);
    return {
      ...{ status: 'green', optimizer_status: 'ok', indexed_vectors_count: 0, points_count: this.points.size },
      segments_count: segments || 2,
      config: {
        params: {
          vectors,
          ...{ shard_number: 1, replication_factor: 1, write_consistency_factor: 1, on_disk_payload },
          ...(sparse_vectors ? { sparse_vectors } : {}),
        },
        hnsw_config: { ...hnswDefaults, ...hnsw_config },
        optimizer_config: { ...optimizerDefaults, default_segment_number: segments },
        wal_config: { wal_capacity_mb: 32, wal_segments_ahead: 0, wal_retain_closed: 1 },
        quantization_config: null,
      },
      payload_schema: Object.fromEntries(indexed),
      update_queue: { length: 0 },
    };
  }

  private place(id: string | number): number {
    const preferred = this.firstOfEquals.indexOf(String(id));
    return preferred < 0 ? ++this.sequence : preferred - this.firstOfEquals.length;
  }

  private describeIndex(field: string, schema: unknown): object {
    const points = [...this.points.values()].filter(({ payload }) => field in payload).length;
    if (typeof schema === 'string') return { data_type: schema, points };
    return { data_type: (schema as { type: string }).type, params: schema, points };
  }

  private write(selector: Selector, change: (point: StoredPoint) => void): Written {
    this.operations++;
    for (const point of this.select(selector)) {
      point.version = this.operations;
      change(point);
    }
    return this.written();
  }

  private written(): Written {
    return { operation_id: this.operations, status: 'completed' };
  }

  private checkDimensions(vector: PointInput['vector']): void {
    for (const [name, value] of Object.entries(vector)) {
      const size = this.parameters.vectors[name]?.size;
      if (isSparse(value) || size === undefined || size === value.length) continue;
      const fault = `Vector dimension error: expected dim: ${size}, got ${value.length} for vector '${name}'`;
      throw wrongInput(fault);
    }
  }

  private checkNames(vector: PointInput['vector']): void {
    const unknown = Object.keys(vector).find(
      (name) => !(name in this.parameters.vectors) && !(name in (this.parameters.sparse_vectors ?? {})),
    );
    if (unknown !== undefined) throw wrongInput(`Not existing vector name error: ${unknown}`);
  }
}

const hnswDefaults = { m: 16, ef_construct: 100, full_scan_threshold: 10_000, max_indexing_threads: 0, on_disk: false };
const optimizerDefaults = {
  ...{ deleted_threshold: 0.2, vacuum_min_vector_number: 1000, max_segment_size: null, memmap_threshold: null },
  ...{ indexing_threshold: 10_000, flush_interval_sec: 5, max_optimization_threads: null, prevent_unoptimized: null },
};
