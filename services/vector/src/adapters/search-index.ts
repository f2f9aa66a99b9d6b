import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { isRagmeshError } from '@ragmesh/errors';
import type { HandlerResult } from '@ragmesh/messaging';
import { gauge, type Logger } from '@ragmesh/observability';
import type { DocumentKey } from './document-index.repository.js';
import { DocumentTurns } from './document-turns.js';
import type { EmbeddedIndex } from './embedded-index/embedded-index.js';
import { EmbeddedIndexes } from './embedded-index/embedded-indexes.js';
import type { IndexedPoint } from './embedded-index/indexed-point.js';
import { PointReader, type PointRow } from './point-row.js';
import { PointRepository } from './point.repository.js';

const RELOAD_PAUSE_MS = 500;

/** Whose index it is. */
interface Owner {
  readonly tenant: string;
  readonly collection: string;
}

const nameOf = ({ tenant, collection }: Owner): string => JSON.stringify([tenant, collection]);
const turnOf = ({ tenant, documentId }: DocumentKey): string => JSON.stringify([tenant, documentId]);

/** What a committed transaction means for the index in memory. */
export type IndexChange = (index: EmbeddedIndex) => Promise<void> | void;

/** Says what the transaction changed; called inside it, followed once it is committed. What was said last counts. */
export type FollowWith = (collection: string, change: IndexChange) => void;

/**
 * The searchable memory of this process. It is made from the rows before the service answers, and follows each
 * transaction after its commit. Whenever it cannot know what was committed, it reads the document's rows again.
 */
@Injectable()
export class SearchIndex implements OnModuleInit, OnModuleDestroy {
  private readonly turns = new DocumentTurns();
  private readonly known = new Map<string, { readonly index: EmbeddedIndex; readonly owner: Owner }>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly indexes: EmbeddedIndexes,
    private readonly points: PointRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    const started = performance.now();
    for await (const rows of this.points.pages()) await this.add(rows);
    this.measure();
    const milliseconds = Math.round(performance.now() - started);
    const points = [...this.known.values()].reduce((sum, { index }) => sum + index.count(), 0);
    this.logger.info({ points, milliseconds }, 'The index is in memory');
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /** The index of a collection; undefined when nothing was ever put into it. */
  find(tenant: string, collection: string): EmbeddedIndex | undefined {
    return this.indexes.find({ tenant, collection, generation: 0 });
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
      let said: { readonly collection: string; readonly change: IndexChange } | undefined;
      try {
        const result = await commit((collection, change) => void (said = { collection, change }));
        if (result.kind === 'skip') return result;
        await said?.change(this.open({ tenant: document.tenant, collection: said.collection }));
        this.measure();
        return result;
      } catch (error) {
        // A connection that broke at the commit does not tell whether the rows are there; a refusal of ours does.
        if (said) this.reloadSoon(document);
        throw error;
      }
    });
  }

  /** Brings memory in line with a document's rows, whoever wrote them; readers change over in one tick here, too. */
  async reload({ tenant, documentId }: DocumentKey): Promise<void> {
    await this.turns.run(turnOf({ tenant, documentId }), async () => {
      const rows = await this.points.ofDocument({ tenant, documentId });
      const stored = new Set(rows.map(({ version }) => version));
      const indexes = [...this.known.values()].filter(({ owner }) => owner.tenant === tenant);
      const shown = indexes.map(({ index }) => index.shownVersion(documentId));
      await this.add(rows);
      for (const [at, { index, owner }] of indexes.entries()) {
        const kept = rows[0]?.collection === owner.collection ? rows : [];
        const before = shown[at];
        if (before !== undefined && !(kept.length > 0 && stored.has(before))) index.removeVersion(documentId, before);
        if (index.count({ documentId }) !== kept.length) await this.replace(index, documentId, kept);
        else if (kept[0]?.visibleVersion == null) index.hideDocument(documentId);
      }
      this.measure();
    });
  }

  /** For staged points that are no longer stored: which versions they are of is not known. */
  private async replace(index: EmbeddedIndex, documentId: string, rows: readonly PointRow[]): Promise<void> {
    index.removeDocument(documentId);
    await this.add(rows);
  }

  private async add(rows: readonly PointRow[]): Promise<void> {
    const reader = new PointReader();
    for (const batch of Map.groupBy(rows, ({ tenant, collection }) => nameOf({ tenant, collection })).values()) {
      const index = this.open(batch[0]!);
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

  private reloadSoon(document: DocumentKey): void {
    void (async () => {
      while (!this.stopping.signal.aborted) {
        try {
          return await this.reload(document);
        } catch (error) {
          this.logger.warn(
            { document_id: document.documentId, err: error },
            'A document will be read again into the index',
          );
          await delay(RELOAD_PAUSE_MS, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
        }
      }
    })();
  }

  private open(owner: Owner): EmbeddedIndex {
    const name = nameOf(owner);
    const known = this.known.get(name);
    if (known) return known.index;
    const { tenant, collection } = owner;
    const index = this.indexes.open({ tenant, collection, generation: 0 });
    this.known.set(name, { index, owner: { tenant, collection } });
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
