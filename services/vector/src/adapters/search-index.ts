import { isRagmeshError } from '@ragmesh/errors';
import type { HandlerResult } from '@ragmesh/messaging';
import { gauge, type Logger } from '@ragmesh/observability';
import type { DocumentKey } from './document-index.repository.js';
import { DocumentTurns } from './document-turns.js';
import type { EmbeddedIndex } from './embedded-index/embedded-index.js';
import type { EmbeddedIndexes, IndexKey } from './embedded-index/embedded-indexes.js';
import type { IndexedPoint } from './embedded-index/indexed-point.js';
import type { GenerationRepository } from './generation.repository.js';
import { PointReader, type PointRow } from './point-row.js';
import type { PointRepository } from './point.repository.js';
import { RepairQueue } from './repair-queue.js';
import type { Drift, Scope } from './vector-store.js';

const nameOf = ({ tenant, collection, generation }: IndexKey): string =>
  JSON.stringify([tenant, collection, generation]);
const scopeOf = ({ tenant, collection }: Scope): string => JSON.stringify([tenant, collection]);
const turnOf = ({ tenant, documentId }: DocumentKey): string => JSON.stringify([tenant, documentId]);

/** What a committed transaction means for an index in memory. */
export type IndexChange = (index: EmbeddedIndex, key: IndexKey) => Promise<void> | void;

/** Indexes of the document's tenant: one generation of a collection, or all there are. */
export interface ChangeTarget {
  readonly collection: string;
  readonly generation?: number;
}

/** Says what the transaction changed; called inside it, followed once it is committed. What was said last counts. */
export type FollowWith = (target: ChangeTarget, change: IndexChange) => void;

/** An index in memory, and whose it is. */
export interface KnownIndex {
  readonly index: EmbeddedIndex;
  readonly key: IndexKey;
}

/**
 * The searchable memory of this process. It is made from the rows before the service answers, and follows each
 * transaction after its commit. Whenever it cannot know what was committed, it reads the document's rows again.
 */
export class SearchIndex {
  private readonly turns = new DocumentTurns();
  private readonly known = new Map<string, KnownIndex>();
  private readonly live = new Map<string, number>();
  private readonly reloads: RepairQueue;

  constructor(
    private readonly indexes: EmbeddedIndexes,
    private readonly points: PointRepository,
    private readonly generations: GenerationRepository,
    private readonly logger: Logger,
  ) {
    this.reloads = new RepairQueue((document) => this.reload(document), logger);
  }

  /** Makes memory of the rows. */
  async load(): Promise<void> {
    const started = performance.now();
    for (const shown of await this.generations.shown()) this.live.set(scopeOf(shown), shown.generation);
    for await (const rows of this.points.pages()) await this.add(rows);
    this.measure();
    const milliseconds = Math.round(performance.now() - started);
    const points = [...this.known.values()].reduce((sum, { index }) => sum + index.count(), 0);
    this.logger.info({ points, duration_ms: milliseconds }, 'The index is in memory');
  }

  close(): void {
    this.reloads.close();
  }

  /** The generation of a collection that readers see. */
  liveGeneration(scope: Scope): number {
    return this.live.get(scopeOf(scope)) ?? 0;
  }

  /** The index of a collection; undefined when nothing was ever put into it. */
  find(scope: Scope, generation = this.liveGeneration(scope)): EmbeddedIndex | undefined {
    const { tenant, collection } = scope;
    return this.indexes.find({ tenant, collection, generation });
  }

  /** Every index there is. */
  all(): Iterable<KnownIndex> {
    return this.known.values();
  }

  /** Readers see another generation from this tick on. */
  show(scope: Scope, generation: number): void {
    this.live.set(scopeOf(scope), generation);
  }

  /** Resolves once memory has followed what was under way. */
  settled(): Promise<void> {
    return this.turns.settled();
  }

  /** Forgets a generation and its memory. */
  drop({ tenant, collection }: Scope, generation: number): void {
    const key = { tenant, collection, generation };
    this.indexes.drop(key);
    this.known.delete(nameOf(key));
    this.measure();
  }

  /**
   * Runs a transaction about a document and then lets memory follow it. What happens to one document happens in turn, so
   * memory changes in the order of the commits.
   * @throws what `commit` throws; then memory is brought in line with the rows in the background.
   */
  async following(
    document: DocumentKey,
    commit: (follow: FollowWith) => Promise<HandlerResult>,
  ): Promise<HandlerResult> {
    return this.turns.run(turnOf(document), async () => {
      let said: { readonly target: ChangeTarget; readonly change: IndexChange } | undefined;
      try {
        const result = await commit((target, change) => void (said = { target, change }));
        if (result.kind === 'skip' || !said) return result;
        for (const { index, key } of this.targets(document.tenant, said.target)) await said.change(index, key);
        this.measure();
        return result;
      } catch (error) {
        // A connection that broke at the commit does not tell whether the rows are there; a refusal of ours does.
        if (said) this.reloads.soon(document);
        throw error;
      }
    });
  }

  /**
   * Brings memory in line with a document's rows, whoever wrote them; readers change over in one tick here, too.
   * @returns by how much it differed.
   */
  async reload(document: DocumentKey): Promise<Drift> {
    return this.turns.run(turnOf(document), async () => {
      const rows = await this.points.ofDocument(document);
      for (const row of rows) this.open(row);
      const drifts: Drift[] = [];
      for (const { index, key } of [...this.known.values()].filter(
        ({ key: { tenant } }) => tenant === document.tenant,
      )) {
        const own = rows.filter((row) => row.collection === key.collection && row.generation === key.generation);
        drifts.push(await this.align(index, document.documentId, own));
      }
      this.measure();
      const total = (kind: keyof Drift): number => drifts.reduce((sum, drift) => sum + drift[kind], 0);
      return { missing: total('missing'), extra: total('extra'), stale: total('stale') };
    });
  }

  private async align(index: EmbeddedIndex, documentId: string, rows: readonly PointRow[]): Promise<Drift> {
    const held = index.pointIds(documentId);
    const missing = rows.filter(({ pointId }) => !held.delete(pointId)).length;
    const [visible, shown] = [rows[0]?.visibleVersion ?? undefined, index.shownVersion(documentId)];
    const stale = visible === shown ? 0 : index.count({ documentId, visible: true });
    index.restrict(documentId, rows[0]?.access ?? null);
    if (missing > 0) await this.add(rows);
    // Nothing is removed before readers see what takes its place.
    if (visible !== undefined) index.showVersion(documentId, visible);
    else index.hideDocument(documentId);
    index.removePoints(held);
    return { missing, extra: held.size, stale };
  }

  private async add(rows: readonly PointRow[]): Promise<void> {
    const reader = new PointReader();
    for (const batch of Map.groupBy(rows, nameOf).values()) {
      const index = this.open(batch[0]!);
      for (const { documentId, access } of batch) if (access !== null) index.restrict(documentId, access);
      await this.addPoints(
        index,
        batch.map((row) => reader.read(row)),
      );
      for (const { documentId, visibleVersion } of batch) {
        if (visibleVersion !== null && index.shownVersion(documentId) !== visibleVersion)
          index.showVersion(documentId, visibleVersion);
      }
    }
  }

  /** A vector that fits no other must not keep the service from starting: its chunk is found by its words. */
  private async addPoints(index: EmbeddedIndex, points: readonly IndexedPoint[]): Promise<void> {
    try {
      await index.addPoints(points);
    } catch (error) {
      if (!isRagmeshError(error)) throw error;
      this.logger.error({ code: error.code, points: points.length }, 'Points are searchable by their words only');
      await index.addPoints(points.map((point) => ({ ...point, vector: null })));
    }
  }

  private targets(tenant: string, { collection, generation }: ChangeTarget): KnownIndex[] {
    const wanted = generation ?? this.liveGeneration({ tenant, collection });
    const target = this.open({ tenant, collection, generation: wanted });
    const one = { index: target, key: { tenant, collection, generation: wanted } };
    if (generation !== undefined) return [one];
    const isOther = ({ index, key }: KnownIndex): boolean =>
      index !== target && key.tenant === tenant && key.collection === collection;
    return [one, ...[...this.known.values()].filter(isOther)];
  }

  private open({ tenant, collection, generation }: IndexKey): EmbeddedIndex {
    const key = { tenant, collection, generation };
    const known = this.known.get(nameOf(key));
    if (known) return known.index;
    const index = this.indexes.open(key);
    this.known.set(nameOf(key), { index, key });
    return index;
  }

  private measure(): void {
    let [visible, all] = [0, 0];
    for (const { index } of this.known.values()) {
      visible += index.count({ visible: true });
      all += index.count();
    }
    gauge('ragmesh_points').set({ state: 'visible' }, visible);
    gauge('ragmesh_points').set({ state: 'staged' }, all - visible);
  }
}
