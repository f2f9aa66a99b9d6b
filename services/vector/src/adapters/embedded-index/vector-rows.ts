import usearch from 'usearch';
import type { TopHits } from '../../domain/top-hits.js';

const ROWS = 2048;
/** Asking the native scan for this many extra hits costs less than scoring a segment in JavaScript. */
const MAX_NATIVE_EXTRA = 256;

/** Unit vectors by slot, in segments that are allocated when first used. */
export class VectorRows {
  private readonly segments: (Float32Array | undefined)[] = [];
  /** Rows per segment that hold a vector. */
  private readonly used: number[] = [];
  /** Rows per segment up to the last that ever held one. */
  private readonly reached: number[] = [];

  constructor(readonly dimensions: number) {}

  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + (segment?.byteLength ?? 0), 0);
  }

  set(slot: number, vector: Float32Array): void {
    const index = Math.floor(slot / ROWS);
    const segment = (this.segments[index] ??= new Float32Array(ROWS * this.dimensions));
    const row = slot % ROWS;
    segment.set(vector, row * this.dimensions);
    this.used[index] = (this.used[index] ?? 0) + 1;
    this.reached[index] = Math.max(this.reached[index] ?? 0, row + 1);
  }

  clear(slot: number): void {
    const index = Math.floor(slot / ROWS);
    this.used[index]!--;
    if (this.used[index]! > 0) return;
    this.segments[index] = undefined;
    this.reached[index] = 0;
  }

  row(slot: number): Float32Array {
    const at = (slot % ROWS) * this.dimensions;
    return this.segments[Math.floor(slot / ROWS)]!.subarray(at, at + this.dimensions);
  }

  /** Cosine similarity of the vector in a slot with a unit vector. */
  similarity(slot: number, query: Float32Array): number {
    return dot(this.segments[Math.floor(slot / ROWS)]!, (slot % ROWS) * this.dimensions, query);
  }

  /** Offers every allowed slot (flag 1), exactly scored. @param topK how many the caller keeps. */
  scan(query: Float32Array, topK: number, allowed: Uint8Array, hits: TopHits): void {
    for (let index = 0; index < this.segments.length; index++) {
      if (!this.segments[index]) continue;
      const from = index * ROWS;
      const rows = this.reached[index]!;
      const open = countAllowed(allowed, from);
      if (open === 0) continue;
      const wanted = topK + rows - open;
      if (topK + MAX_NATIVE_EXTRA >= wanted && wanted < rows) this.scanNatively(index, query, wanted, allowed, hits);
      else this.scanOneByOne(from, query, allowed, hits);
    }
  }

  /**
   * SIMD brings about five times the speed. The native side ignores the offset of a view in its buffer, so query and segment
   * must each begin a buffer of their own.
   */
  private scanNatively(index: number, query: Float32Array, wanted: number, allowed: Uint8Array, hits: TopHits): void {
    const { keys } = usearch.exactSearch(
      this.segments[index]!.subarray(0, this.reached[index]! * this.dimensions),
      query,
      this.dimensions,
      wanted,
      usearch.MetricKind.IP,
      1,
    );
    for (const key of keys) {
      const slot = index * ROWS + Number(key);
      if (allowed[slot] !== 1) continue;
      const score = this.similarity(slot, query);
      if (score >= hits.threshold) hits.offer(slot, score);
    }
  }

  private scanOneByOne(from: number, query: Float32Array, allowed: Uint8Array, hits: TopHits): void {
    const end = Math.min(from + ROWS, allowed.length);
    for (let slot = from; slot < end; slot++) {
      if (allowed[slot] !== 1) continue;
      const score = this.similarity(slot, query);
      if (score >= hits.threshold) hits.offer(slot, score);
    }
  }
}

function countAllowed(allowed: Uint8Array, from: number): number {
  let count = 0;
  for (let slot = from, end = Math.min(from + ROWS, allowed.length); slot < end; slot++) count += allowed[slot]!;
  return count;
}

function dot(rows: Float32Array, at: number, query: Float32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = 0;
  for (const end = query.length - 3; i < end; i += 4) {
    a += rows[at + i]! * query[i]!;
    b += rows[at + i + 1]! * query[i + 1]!;
    c += rows[at + i + 2]! * query[i + 2]!;
    d += rows[at + i + 3]! * query[i + 3]!;
  }
  for (; i < query.length; i++) a += rows[at + i]! * query[i]!;
  return a + b + c + d;
}
