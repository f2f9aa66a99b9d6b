import { randomUUID } from 'node:crypto';
import { RagmeshError } from '@ragmesh/errors';
import type { HandlerResult } from '@ragmesh/messaging';
import { EVERYTHING, type AccessList } from '@ragmesh/observability';
import type { Database, SqlTransaction } from '@ragmesh/postgres';
import type { DocumentIndexRepository, DocumentKey } from './document-index.repository.js';
import type { EmbeddedIndex } from './embedded-index/embedded-index.js';
import type { HybridHits, IndexedChunk, SearchHit } from './embedded-index/indexed-point.js';
import type { GenerationRepository } from './generation.repository.js';
import type { DocumentPoints, PointBatch, VersionRange } from './point.repository.js';
import type { FollowWith, SearchIndex } from './search-index.js';
import { pagesOf } from './pages-of.js';
import { SingleCopy } from './single-copy.js';
import {
  VectorStore,
  type ChunkPlace,
  type DocumentHit,
  type Drift,
  type Principals,
  type Question,
  type Scope,
  type SearchOptions,
  type ShownVersion,
  type StoreChanges,
  type VersionInventory,
} from './vector-store.js';

const PAGE_DOCUMENTS = 1_000;

/** A copy that is being replaced has this long to end. */
const OTHER_COPY_ENDS_WITHIN_MS = 15_000;

/** What the store works with. */
export interface EmbeddedStoreParts {
  readonly index: SearchIndex;
  readonly database: Database;
  readonly documents: DocumentIndexRepository;
  readonly generations: GenerationRepository;
}

/** Points in the memory of this process, which follows the rows after each commit. */
export class EmbeddedStore extends VectorStore {
  private readonly index: SearchIndex;
  private readonly copy: SingleCopy;
  /** Revisions of the index begin anew with each process. */
  private readonly memory = randomUUID();

  constructor(private readonly parts: EmbeddedStoreParts) {
    super();
    this.index = parts.index;
    this.copy = new SingleCopy(parts.database);
  }

  async onModuleInit(): Promise<void> {
    await this.copy.claim(OTHER_COPY_ENDS_WITHIN_MS);
    await this.index.load();
  }

  onModuleDestroy(): void {
    this.index.close();
    this.copy.release();
  }

  searchDense(scope: Scope, vector: Float32Array, options: SearchOptions): readonly SearchHit[] {
    return this.index.find(scope)?.searchDense(vector, options) ?? [];
  }

  searchLexical(scope: Scope, query: string, options: SearchOptions): readonly SearchHit[] {
    return this.index.find(scope)?.searchLexical(query, options) ?? [];
  }

  searchHybrid(scope: Scope, vector: Float32Array, query: string, options: SearchOptions): HybridHits {
    return this.index.find(scope)?.searchHybrid(vector, query, options) ?? { hits: [], denseMs: 0, lexicalMs: 0 };
  }

  points(scope: Scope, pointIds: readonly string[], principals: Principals = []): readonly IndexedChunk[] {
    return this.index.find(scope)?.points(pointIds, principals) ?? [];
  }

  neighbours(
    scope: Scope,
    { documentId, version, ordinals }: ChunkPlace,
    principals: Principals = [],
  ): readonly IndexedChunk[] {
    const index = this.index.find(scope);
    const visible = index?.shownVersion(documentId);
    if (!index?.isReadable(documentId, principals) || visible === undefined || (version !== 0 && visible !== version))
      return [];
    return index.chunks(documentId, visible, new Set(ordinals));
  }

  following(document: DocumentKey, commit: (changes: StoreChanges) => Promise<HandlerResult>): Promise<HandlerResult> {
    return this.index.following(document, (follow) => commit(new EmbeddedChanges(this.parts, follow)));
  }

  shownStamp(scope: Scope): string {
    return `${this.memory} ${this.index.liveGeneration(scope)} ${this.index.find(scope)?.revision ?? 0}`;
  }

  liveGeneration(scope: Scope): number {
    return this.index.liveGeneration(scope);
  }

  count({ tenant, collection, documentId }: DocumentPoints, version: number): number {
    let count = 0;
    for (const { index, key } of this.index.all()) {
      if (key.tenant !== tenant || key.collection !== collection) continue;
      count += index.count(version === 0 ? { documentId } : { documentId, version });
    }
    return count;
  }

  async cutOver(
    scope: Scope,
    generation: number,
    run: Database['transaction'] = (work) => this.parts.database.transaction(work),
  ): Promise<void> {
    const isEmpty = (this.index.find(scope, generation)?.count() ?? 0) === 0;
    await run((tx) => this.parts.generations.show(tx, scope, generation, isEmpty));
    await this.index.settled(); // memory has by then followed every commit before this one
    this.index.show(scope, generation);
  }

  async followLive(scope: Scope): Promise<void> {
    await this.index.settled();
    this.index.show(scope, await this.parts.generations.live(scope));
  }

  searchIn(scope: Scope, generation: number, { vector, text, topK }: Question): readonly DocumentHit[] {
    return (
      this.index.find(scope, generation)?.searchHybrid(vector, text, { topK, principals: [EVERYTHING] }).hits ?? []
    );
  }

  async drop(scope: Scope, generation: number): Promise<void> {
    // Memory follows page by page: else it would be found to differ from the rows all the while.
    const follow = async (pointIds: readonly string[]) => this.index.find(scope, generation)?.forgetPoints(pointIds);
    await this.parts.generations.remove(scope, generation, follow);
    this.index.drop(scope, generation);
  }

  inventory(documents: readonly DocumentPoints[]): readonly VersionInventory[] {
    const indexes = Map.groupBy(this.index.all(), ({ key }) => collectionName(key));
    return documents.flatMap((document) =>
      (indexes.get(collectionName(document)) ?? []).flatMap(({ index, key: { generation } }) =>
        index.inventory(document.documentId).map((version) => versionOf(document, { ...version, generation })),
      ),
    );
  }

  async *documents(counted: number): AsyncGenerator<DocumentPoints[]> {
    const indexes = [...this.index.all()];
    if (indexes.reduce((all, { index }) => all + index.count(), 0) <= counted) return;
    for (const { index, key } of indexes) {
      const { tenant, collection } = key;
      for await (const page of pagesOf(index.documentIds(), PAGE_DOCUMENTS))
        yield page.map((documentId) => ({ tenant, collection, documentId }));
    }
  }

  repair(document: DocumentKey): Promise<Drift> {
    return this.index.reload(document);
  }

  /** The index of a collection; undefined when nothing was ever put into it. */
  open(scope: Scope): EmbeddedIndex | undefined {
    return this.index.find(scope);
  }
}

/** Memory changes once the transaction is committed, so next to nothing is to be done inside it. */
class EmbeddedChanges implements StoreChanges {
  private tagged: ((index: EmbeddedIndex) => void) | undefined;

  constructor(
    private readonly parts: EmbeddedStoreParts,
    private readonly follow: FollowWith,
  ) {}

  /** Into another generation than the live one come points of versions that readers see already. */
  async stage(tx: SqlTransaction, batch: PointBatch): Promise<void> {
    const { collection, documentId, version, generation, points, access = null } = batch;
    const isBeside = generation !== this.parts.index.liveGeneration(batch);
    const visible = isBeside && (await this.parts.documents.visibleVersion(tx, batch)) === version;
    this.follow({ collection, generation }, async (index) => {
      index.restrict(documentId, access);
      await index.addPoints(points);
      if (visible) index.showVersion(documentId, version);
    });
  }

  /** Followed at once, or when the same transaction shows a version, before that. */
  tag(_tx: SqlTransaction, { collection, documentId }: DocumentPoints, access: AccessList): void {
    this.tagged = (index) => index.restrict(documentId, access);
    this.follow({ collection }, this.tagged);
  }

  hide(_tx: SqlTransaction, { collection, documentId }: DocumentPoints): void {
    this.follow({ collection }, (index) => index.hideDocument(documentId));
  }

  show(_tx: SqlTransaction, shown: ShownVersion): void {
    const { tagged } = this;
    this.follow({ collection: shown.collection }, (index, { generation }) => {
      tagged?.(index);
      flip(index, shown, generation);
    });
  }

  /** Nothing is left once the commit is followed. */
  remove(_tx: SqlTransaction, { collection, documentId }: DocumentPoints, versions: VersionRange): Promise<number> {
    this.follow({ collection }, (index) => {
      const removed = index.versions(documentId).filter((version) => isIn(version, versions));
      for (const version of removed) index.removeVersion(documentId, version);
    });
    return Promise.resolve(0);
  }
}

const collectionName = ({ tenant, collection }: Scope): string => JSON.stringify([tenant, collection]);

/** Memory is made of the rows' own content, so it is not hashed. */
const versionOf = (
  { tenant, collection, documentId }: DocumentPoints,
  held: Omit<VersionInventory, 'hash' | keyof DocumentPoints>,
): VersionInventory => ({ tenant, collection, documentId, ...held, hash: undefined });

/** Readers change over in one tick, and never to a part. */
function flip(index: EmbeddedIndex, shown: ShownVersion, generation: number): void {
  const { documentId, version, points, older } = shown;
  if (generation === shown.generation && index.count({ documentId, version }) !== points) {
    throw new RagmeshError('VECTOR.UNAVAILABLE', 'The index in memory lacks points of the version to show.', {
      documentId,
      version,
    });
  }
  index.showVersion(documentId, version);
  for (const old of older) index.removeVersion(documentId, old);
}

function isIn(version: number, versions: VersionRange): boolean {
  if (versions === 'all') return true;
  return 'exactly' in versions ? version === versions.exactly : version < versions.below;
}
