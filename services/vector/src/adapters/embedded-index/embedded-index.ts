import type { AccessList } from '@ragmesh/observability';
import { LexicalIndex } from '../../domain/lexical-index.js';
import type { MetadataFilter } from '../../domain/metadata-filter.js';
import type { ScoredSlot } from '../../domain/top-hits.js';
import type { AllowedSlots } from './allowed-slots.js';
import { DenseIndex } from './dense-index.js';
import type { HybridHits, IndexedChunk, IndexedPoint, SearchHit } from './indexed-point.js';
import { PendingAddition } from './pending-addition.js';
import { PointTable } from './point-table.js';
import { SlotReclaimer } from './slot-reclaimer.js';
import { TimeSlice } from './time-slice.js';

/** Beyond its own points an addition moves so many waiting vectors into the graph, so that a backlog melts away. */
const EXTRA_GRAPH_POINTS = 256;
const MAX_CACHED_FILTERS = 8;
const MAX_CACHED_READERS = 32;

/** `filter` comes from `parseMetadataFilter`; pass the same object to both legs and it is evaluated once. */
export interface SearchOptions {
  readonly topK: number;
  readonly filter?: MetadataFilter | undefined;
  /** Whom access lists may name; left out: nobody. */
  readonly principals?: readonly string[];
}

/**
 * The searchable points of one collection, in memory. Points are staged until `showVersion` shows their version; a search
 * sees at most one version of a document. Searches are synchronous, so each is a consistent snapshot.
 */
export class EmbeddedIndex {
  private readonly table = new PointTable();
  private readonly lexical = new LexicalIndex();
  private readonly dense: DenseIndex;
  private readonly reclaimer = new SlotReclaimer(this.lexical, (slots) => this.table.release(slots));
  private readonly additions = new Set<PendingAddition>();
  private allowedByFilter = new Map<MetadataFilter | undefined, Map<string, AllowedSlots>>();

  /** @param options.graphThreshold points from which on the dense leg uses a graph; the default suits 384 dimensions. */
  constructor(options: { graphThreshold?: number } = {}) {
    this.dense = new DenseIndex(options.graphThreshold);
  }

  /**
   * Adds points, replacing those with the same id, in slices of a few milliseconds. Each is searchable at once if its
   * version is shown. A point whose version or document is removed before its turn is left out.
   * @throws RagmeshError `VECTOR.DIMENSION_MISMATCH`, `EMBEDDING.INVALID_VECTOR`: before anything is added.
   */
  async addPoints(points: readonly IndexedPoint[]): Promise<void> {
    this.checkVectors(points);
    const addition = new PendingAddition();
    this.additions.add(addition);
    try {
      const slice = new TimeSlice();
      for (const point of points) {
        if (slice.used) await slice.renew();
        if (!addition.isRemoved(point)) this.addPoint(point);
        this.reclaimer.work(this.table.size, this.table.slots, slice);
      }
      await this.dense.buildGraph(points.length + EXTRA_GRAPH_POINTS, slice);
    } finally {
      this.additions.delete(addition);
    }
  }

  /** From this tick on searches see this version of the document and no other, also points added to it later. */
  showVersion(documentId: string, version: number): void {
    this.table.show(documentId, version);
    this.forgetFilters();
  }

  /** Hides every version of a document without removing it. */
  hideDocument(documentId: string): void {
    this.table.show(documentId, null);
    this.forgetFilters();
  }

  /** From this tick on only these find the document's points, those to come too. */
  restrict(documentId: string, access: AccessList): void {
    this.table.restrict(documentId, access);
    this.forgetFilters();
  }

  /** Who finds the points of a document. */
  accessOf(documentId: string): AccessList {
    return this.table.accessOf(documentId);
  }

  isReadable(documentId: string, principals: readonly string[] = []): boolean {
    return this.table.isReadable(documentId, principals);
  }

  /** The version a search sees, if any. */
  shownVersion(documentId: string): number | undefined {
    return this.table.shown(documentId);
  }

  /** @returns how many points were removed. Additions under way leave out what they had still to add of it. */
  removeVersion(documentId: string, version: number): number {
    if (this.table.shown(documentId) === version) this.table.show(documentId, null);
    return this.remove(documentId, version);
  }

  /** As `removeVersion`, for every version. */
  removeDocument(documentId: string): number {
    this.table.show(documentId, null);
    return this.remove(documentId);
  }

  /** Takes single points out, whatever their version. Ids that are not there are ignored. */
  removePoints(pointIds: Iterable<string>): void {
    for (const pointId of pointIds) {
      const slot = this.table.slot(pointId);
      if (slot !== undefined) this.removeSlot(slot);
    }
    this.forgetFilters();
  }

  /**
   * As `removePoints`, in slices of a few milliseconds, of an index that is about to go as a whole: what it knows of words and
   * neighbours stays with it until then, so its scores mean little from now on.
   */
  async forgetPoints(pointIds: Iterable<string>): Promise<void> {
    const slice = new TimeSlice();
    for (const pointId of pointIds) {
      if (slice.used) await slice.renew();
      const slot = this.table.slot(pointId);
      if (slot === undefined) continue;
      this.table.remove(slot);
      this.forgetFilters();
    }
  }

  /** Points of a version, of a document or of all, staged ones included unless only visible ones are asked for. */
  count({
    documentId,
    version,
    visible = false,
  }: { documentId?: string; version?: number; visible?: boolean } = {}): number {
    if (documentId === undefined) return visible ? this.table.visiblePoints : this.table.size;
    const slots = this.table.slotsOf(documentId, version);
    return visible ? slots.filter((slot) => this.table.isVisible(slot)).length : slots.length;
  }

  /** The versions of a document there are points of, staged ones included. */
  versions(documentId: string): number[] {
    return this.table.versions(documentId);
  }

  /** The points of a document, of any version. */
  pointIds(documentId: string): Set<string> {
    return new Set(this.table.slotsOf(documentId).map((slot) => this.table.get(slot).pointId));
  }

  /** The documents there are points of, staged ones included. */
  documentIds(): Iterable<string> {
    return this.table.documentIds();
  }

  /** What there is of every version of a document. */
  inventory(documentId: string): { version: number; points: number; visible: number }[] {
    return this.table.versions(documentId).map((version) => {
      const points = this.count({ documentId, version });
      return { version, points, visible: this.table.shown(documentId) === version ? points : 0 };
    });
  }

  /** Chunks of a version by ordinal, in order; `ordinals` omitted means all. Staged ones too. */
  chunks(documentId: string, version: number, ordinals?: ReadonlySet<number>): IndexedChunk[] {
    const chunks = this.table.slotsOf(documentId, version).map((slot) => this.table.get(slot));
    return chunks.filter(({ ordinal }) => ordinals?.has(ordinal) ?? true).sort((a, b) => a.ordinal - b.ordinal);
  }

  /**
   * The visible points most similar to a vector, by cosine (-1 to 1), best first, equals by point id.
   * @throws RagmeshError `VECTOR.DIMENSION_MISMATCH`, `EMBEDDING.INVALID_VECTOR`.
   */
  searchDense(vector: Float32Array, options: SearchOptions): SearchHit[] {
    const { tieBreak } = this.table;
    return this.hits(this.dense.search(vector, { topK: options.topK, allowed: this.allowed(options), tieBreak }));
  }

  /** The visible points that match a query best, by raw BM25 (above 0), best first, equals by point id. */
  searchLexical(query: string, options: SearchOptions): SearchHit[] {
    const { tieBreak } = this.table;
    return this.hits(
      this.lexical.search(query, { topK: options.topK, allowed: this.allowed(options).flags, tieBreak }),
    );
  }

  /**
   * The visible points that either leg finds, each scored by both: a point one leg merely did not return must not count
   * as one it rejected. In no particular order.
   */
  searchHybrid(vector: Float32Array, query: string, options: SearchOptions): HybridHits {
    const allowed = this.allowed(options);
    const legs = { topK: options.topK, tieBreak: this.table.tieBreak };
    const begin = performance.now();
    const lexical = this.lexical.search(query, { ...legs, allowed: allowed.flags });
    const between = performance.now();
    const dense = this.dense.search(vector, { ...legs, allowed });
    const found = [...new Set([...lexical, ...dense].map(({ slot }) => slot))];
    const flags = new Uint8Array(allowed.flags.length);
    for (const slot of found) flags[slot] = 1;
    const lexicalScores = scoresOf(this.lexical.search(query, { ...legs, topK: found.length, allowed: flags }));
    const both = { flags, count: found.length, alive: allowed.alive };
    const denseScores = scoresOf(this.dense.search(vector, { ...legs, topK: found.length, allowed: both }));
    const hits = found.map((slot) => {
      const { pointId, documentId, version } = this.table.get(slot);
      return { pointId, documentId, version, dense: denseScores.get(slot), lexical: lexicalScores.get(slot) ?? 0 };
    });
    return { hits, lexicalMs: between - begin, denseMs: performance.now() - between };
  }

  /** Visible chunks by point id, in the order asked for; those that are gone are left out. */
  points(pointIds: readonly string[], principals: readonly string[] = []): IndexedChunk[] {
    return pointIds.flatMap((pointId) => {
      const slot = this.table.slot(pointId);
      if (slot === undefined || !this.table.isVisible(slot)) return [];
      const chunk = this.table.get(slot);
      return this.table.isReadable(chunk.documentId, principals) ? [chunk] : [];
    });
  }

  /** Greater than any before, of any index, once what is visible here has changed. */
  get revision(): number {
    return this.table.revision;
  }

  /** For metrics: sizes in bytes are those of the typed arrays, without texts and the graph. */
  get statistics() {
    return { points: this.table.size, slots: this.table.slots, ...this.lexical.statistics, ...this.dense.statistics };
  }

  private checkVectors(points: readonly IndexedPoint[]): void {
    let dimensions: number | undefined;
    for (const { vector } of points) {
      if (!vector) continue;
      this.dense.check(vector, dimensions);
      dimensions = vector.length;
    }
  }

  private addPoint({ vector, ...chunk }: IndexedPoint): void {
    const existing = this.table.slot(chunk.pointId);
    if (existing !== undefined) this.removeSlot(existing);
    const slot = this.table.add(chunk);
    this.lexical.add(slot, chunk.text);
    if (vector) this.dense.add(slot, this.dense.unit(vector));
    this.forgetFilters();
  }

  private remove(documentId: string, version?: number): number {
    for (const addition of this.additions) addition.remove(documentId, version);
    const slots = this.table.slotsOf(documentId, version);
    for (const slot of slots) this.removeSlot(slot);
    // Points that come later bring the list with them: what is deleted must not be remembered for ever.
    if (this.table.versions(documentId).length === 0) this.table.restrict(documentId, null);
    this.forgetFilters();
    return slots.length;
  }

  private removeSlot(slot: number): void {
    this.lexical.remove(slot, this.table.remove(slot).text);
    this.dense.remove(slot);
    this.reclaimer.add(slot);
  }

  private allowed({ filter, principals = [] }: SearchOptions): AllowedSlots {
    const reader = principals.join();
    const known = this.allowedByFilter.get(filter);
    let allowed = known?.get(reader);
    if (allowed) return allowed;
    allowed = this.table.readable(this.table.allowed(filter), principals);
    if (this.allowedByFilter.size >= MAX_CACHED_FILTERS || (known?.size ?? 0) >= MAX_CACHED_READERS)
      this.forgetFilters();
    const readers = this.allowedByFilter.get(filter) ?? new Map<string, AllowedSlots>();
    this.allowedByFilter.set(filter, readers.set(reader, allowed));
    return allowed;
  }

  private forgetFilters(): void {
    if (this.allowedByFilter.size > 0) this.allowedByFilter = new Map();
  }

  private hits(slots: readonly ScoredSlot[]): SearchHit[] {
    return slots.map(({ slot, score }) => ({ ...this.table.get(slot), score }));
  }
}

const scoresOf = (slots: readonly ScoredSlot[]): Map<number, number> =>
  new Map(slots.map(({ slot, score }) => [slot, score]));
