import { RagmeshError } from '@ragmesh/errors';
import usearch from 'usearch';
import { TopHits, type ScoredSlot, type TieBreak } from '../../domain/top-hits.js';
import type { AllowedSlots } from './allowed-slots.js';
import type { TimeSlice } from './time-slice.js';
import { VectorRows } from './vector-rows.js';

/** Below this size an exact scan takes under a millisecond and a graph is not worth its building time. */
const DEFAULT_GRAPH_THRESHOLD = 16_384;
/** With so few candidates left by a filter, scoring each is faster than searching the graph for more. */
const EXACT_CANDIDATES = 4_000;
const MAX_EXPANSION = 4_096;
/** So many rows may wait for the graph while it is used; they are scored one by one. */
const MAX_WAITING = 1_024;
const GRAPH_BATCH = 8;

/** How a dense search is bounded; `topK` ≥ 1. */
export interface DenseSearchOptions {
  readonly topK: number;
  readonly allowed: AllowedSlots;
  readonly tieBreak: TieBreak;
}

/**
 * Cosine nearest neighbours: an exact scan while small or where few candidates are left, else an HNSW graph (f16, M 16) whose
 * hits are rescored exactly. Vectors are searchable as soon as they are added; the graph follows in `buildGraph`.
 */
export class DenseIndex {
  private rows: VectorRows | undefined;
  private graph: InstanceType<typeof usearch.Index> | undefined;
  private readonly slots = new Set<number>();
  private readonly waiting = new Set<number>();
  private graphed = 0;

  constructor(private readonly graphThreshold = DEFAULT_GRAPH_THRESHOLD) {}

  get statistics(): { vectors: number; graphed: number; vectorBytes: number } {
    return { vectors: this.slots.size, graphed: this.graphed, vectorBytes: this.rows?.bytes ?? 0 };
  }

  /**
   * @param dimensions what an empty index is about to hold.
   * @throws RagmeshError `VECTOR.DIMENSION_MISMATCH`, `EMBEDDING.INVALID_VECTOR`.
   */
  check(vector: Float32Array, dimensions?: number): void {
    const expected = this.rows?.dimensions ?? dimensions;
    const actual = vector.length;
    if (expected !== undefined && actual !== expected) {
      const message = `The index holds vectors of ${expected} numbers, this one has ${actual}.`;
      throw new RagmeshError('VECTOR.DIMENSION_MISMATCH', message, { expected, actual });
    }
    const norm = normOf(vector);
    if (norm > 0 && Number.isFinite(norm)) return;
    throw new RagmeshError(
      'EMBEDDING.INVALID_VECTOR',
      'A vector must consist of finite numbers that are not all zero.',
    );
  }

  /** The vector at length 1, in a buffer of its own. */
  unit(vector: Float32Array): Float32Array {
    const norm = normOf(vector);
    return vector.map((x) => x / norm);
  }

  /** Stores a checked vector under a free slot. */
  add(slot: number, vector: Float32Array): void {
    this.check(vector);
    this.rows ??= new VectorRows(vector.length);
    this.rows.set(slot, vector);
    this.slots.add(slot);
    this.waiting.add(slot);
  }

  /** Forgets a slot's vector; a slot without one is ignored. The last one gone, any dimension may follow. */
  remove(slot: number): void {
    if (!this.slots.delete(slot)) return;
    this.rows!.clear(slot);
    if (!this.waiting.delete(slot)) {
      this.graph!.remove(BigInt(slot));
      this.graphed--;
    }
    if (this.slots.size === 0) [this.rows, this.graph, this.graphed] = [undefined, undefined, 0];
  }

  /** Moves up to `limit` waiting vectors into the graph, yielding by `slice`. Slots may be added and removed meanwhile. */
  async buildGraph(limit: number, slice: TimeSlice): Promise<void> {
    if (!this.graph && this.slots.size < this.graphThreshold) return;
    for (let moved = 0; moved < limit && this.waiting.size > 0; moved += GRAPH_BATCH) {
      if (slice.used) await slice.renew();
      if (this.rows) this.moveToGraph(this.rows);
    }
  }

  /** The best allowed slots by cosine with `query`, best first; the dimension must fit when there are vectors. */
  search(query: Float32Array, { topK, allowed, tieBreak }: DenseSearchOptions): ScoredSlot[] {
    this.check(query);
    const unit = this.unit(query);
    const hits = new TopHits(topK, tieBreak);
    if (!this.rows || topK <= 0 || allowed.count === 0) return [];
    const expansion = Math.ceil(topK * 1.5 * (this.slots.size / allowed.count)) + 32;
    const exact =
      !this.graph || this.waiting.size > MAX_WAITING || allowed.count <= EXACT_CANDIDATES || expansion > MAX_EXPANSION;
    if (exact || !this.searchGraph(unit, { topK, allowed, tieBreak }, expansion, hits)) {
      const all = new TopHits(topK, tieBreak);
      this.rows.scan(unit, topK, this.withVectors(allowed), all);
      return all.sorted();
    }
    return hits.sorted();
  }

  /** False when the graph gave too few allowed slots, so that only an exact scan can tell. */
  private searchGraph(
    query: Float32Array,
    { topK, allowed }: DenseSearchOptions,
    expansion: number,
    hits: TopHits,
  ): boolean {
    const wanted = Math.min(expansion, this.graphed);
    const { keys } = this.graph!.search(query, wanted, 1);
    let found = 0;
    const offer = (slot: number): void => {
      if (allowed.flags[slot] !== 1 || !this.slots.has(slot)) return;
      hits.offer(slot, this.rows!.similarity(slot, query));
      found++;
    };
    for (const key of keys) if (!this.waiting.has(Number(key))) offer(Number(key));
    for (const slot of this.waiting) offer(slot);
    return found >= Math.min(topK, allowed.count);
  }

  private withVectors(allowed: AllowedSlots): Uint8Array {
    return this.slots.size >= allowed.alive
      ? allowed.flags
      : allowed.flags.map((flag, slot) => (flag === 1 && this.slots.has(slot) ? 1 : 0));
  }

  private moveToGraph(rows: VectorRows): void {
    this.graph ??= newGraph(rows.dimensions);
    const batch = firstOf(this.waiting, GRAPH_BATCH);
    const vectors = new Float32Array(batch.length * rows.dimensions);
    batch.forEach((slot, index) => vectors.set(rows.row(slot), index * rows.dimensions));
    this.graph.add(BigUint64Array.from(batch, BigInt), vectors, 1);
    for (const slot of batch) this.waiting.delete(slot);
    this.graphed += batch.length;
  }
}

function firstOf(slots: ReadonlySet<number>, count: number): number[] {
  const first: number[] = [];
  for (const slot of slots) {
    if (first.length === count) break;
    first.push(slot);
  }
  return first;
}

function normOf(vector: Float32Array): number {
  let squares = 0;
  for (const x of vector) squares += x * x;
  return Math.sqrt(squares);
}

function newGraph(dimensions: number): InstanceType<typeof usearch.Index> {
  const { IP } = usearch.MetricKind;
  return new usearch.Index({
    dimensions,
    metric: IP,
    quantization: usearch.ScalarKind.F16,
    connectivity: 16,
    expansion_add: 128,
    expansion_search: 96,
    multi: false,
  });
}
