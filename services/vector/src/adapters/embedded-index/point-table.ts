import { mayRead, type AccessList } from '@ragmesh/observability';
import { evaluateFilter, type MetadataFilter } from '../../domain/metadata-filter.js';
import type { TieBreak } from '../../domain/top-hits.js';
import type { AllowedSlots } from './allowed-slots.js';
import type { IndexedChunk } from './indexed-point.js';

/** Changes of what is visible in any table so far: a table that takes the place of a dropped one repeats none of its revisions. */
let changes = 0;

type SlotsByVersion = Map<number, Set<number>>;

/**
 * Gives every point a slot (a small number that the legs count in) and knows which slots are visible: those of the one
 * version that is shown of each document.
 */
export class PointTable {
  private readonly points: (IndexedChunk | undefined)[] = [];
  private readonly slotOf = new Map<string, number>();
  private readonly documents = new Map<string, SlotsByVersion>();
  private readonly shownVersion = new Map<string, number>();
  /** Documents that not everyone may read. */
  private readonly restricted = new Map<string, readonly string[]>();
  private visible = new Uint8Array(1024);
  private changedAt = 0;
  private visibleCount = 0;
  private freeSlots: number[] = [];

  get size(): number {
    return this.slotOf.size;
  }

  /** Slots ever used; each is below this number. */
  get slots(): number {
    return this.points.length;
  }

  /** Greater than any before, of any table, once what is visible here has changed. */
  get revision(): number {
    return this.changedAt;
  }

  get(slot: number): IndexedChunk {
    return this.points[slot]!;
  }

  slot(pointId: string): number | undefined {
    return this.slotOf.get(pointId);
  }

  /** Stores a point whose id is not in the table, staged or visible according to its version. */
  add(point: IndexedChunk): number {
    const slot = this.freeSlots.pop() ?? this.points.length;
    this.points[slot] = point;
    this.slotOf.set(point.pointId, slot);
    const versions = getOrCreate(this.documents, point.documentId, () => new Map<number, Set<number>>());
    getOrCreate(versions, point.version, () => new Set<number>()).add(slot);
    this.setVisible(slot, this.shownVersion.get(point.documentId) === point.version);
    return slot;
  }

  /** Takes a point out. Its slot stays unused until `release`, as an index may still refer to it. */
  remove(slot: number): IndexedChunk {
    const point = this.get(slot);
    this.setVisible(slot, false);
    this.points[slot] = undefined;
    this.slotOf.delete(point.pointId);
    const versions = this.documents.get(point.documentId)!;
    const slots = versions.get(point.version)!;
    slots.delete(slot);
    if (slots.size === 0) versions.delete(point.version);
    if (versions.size === 0) this.documents.delete(point.documentId);
    return point;
  }

  release(slots: readonly number[]): void {
    this.freeSlots = this.freeSlots.concat(slots);
  }

  /** Makes one version of a document visible and hides the others; `null` hides all. One tick, so never a mixture. */
  show(documentId: string, version: number | null): void {
    if (version === null) this.shownVersion.delete(documentId);
    else this.shownVersion.set(documentId, version);
    for (const [other, slots] of this.documents.get(documentId) ?? []) {
      for (const slot of slots) this.setVisible(slot, other === version);
    }
  }

  shown(documentId: string): number | undefined {
    return this.shownVersion.get(documentId);
  }

  /** The slots of a version, or of every version of a document, staged ones included. */
  slotsOf(documentId: string, version?: number): number[] {
    const versions = this.documents.get(documentId);
    if (!versions) return [];
    return version === undefined
      ? [...versions.values()].flatMap((slots) => [...slots])
      : [...(versions.get(version) ?? [])];
  }

  documentIds(): Iterable<string> {
    return this.documents.keys();
  }

  versions(documentId: string): number[] {
    return [...(this.documents.get(documentId)?.keys() ?? [])];
  }

  isVisible(slot: number): boolean {
    return this.visible[slot] === 1;
  }

  get visiblePoints(): number {
    return this.visibleCount;
  }

  /** Visible slots whose metadata pass the filter, as of now. */
  allowed(filter: MetadataFilter | undefined): AllowedSlots {
    if (!filter) return { flags: this.visible, count: this.visibleCount, alive: this.size };
    const flags = new Uint8Array(this.points.length);
    let count = 0;
    for (let slot = 0; slot < flags.length; slot++) {
      if (this.visible[slot] !== 1 || !evaluateFilter(filter, this.points[slot]!.metadata)) continue;
      flags[slot] = 1;
      count++;
    }
    return { flags, count, alive: this.size };
  }

  /** Sets who may find the points of a document, those to come too. */
  restrict(documentId: string, access: AccessList): void {
    if (access === null) this.restricted.delete(documentId);
    else this.restricted.set(documentId, access);
  }

  /** Who may find the points of a document. */
  accessOf(documentId: string): AccessList {
    return this.restricted.get(documentId) ?? null;
  }

  isReadable(documentId: string, principals: readonly string[]): boolean {
    return mayRead(this.accessOf(documentId), principals);
  }

  /** Those of some slots whose documents may be read with these principals. */
  readable(slots: AllowedSlots, principals: readonly string[]): AllowedSlots {
    const refused = [...this.restricted].filter(([, access]) => !mayRead(access, principals));
    if (refused.length === 0) return slots;
    const flags = slots.flags.slice();
    let { count } = slots;
    for (const slot of refused.flatMap(([documentId]) => this.slotsOf(documentId))) {
      if (flags[slot] !== 1) continue;
      flags[slot] = 0;
      count--;
    }
    return { flags, count, alive: slots.alive };
  }

  /** By point id, so that equal scores come in the same order after a rebuild. */
  readonly tieBreak: TieBreak = (a, b) => (this.get(a).pointId < this.get(b).pointId ? -1 : 1);

  private setVisible(slot: number, visible: boolean): void {
    if (slot >= this.visible.length) {
      const grown = new Uint8Array(this.visible.length * 2);
      grown.set(this.visible);
      this.visible = grown;
    }
    const flag = visible ? 1 : 0;
    if (flag === this.visible[slot]) return;
    this.visibleCount += visible ? 1 : -1;
    this.visible[slot] = flag;
    this.changedAt = ++changes;
  }
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
