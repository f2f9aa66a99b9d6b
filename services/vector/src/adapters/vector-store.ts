import type { HandlerResult } from '@ragmesh/messaging';
import type { AccessList } from '@ragmesh/observability';
import type { Database, SqlTransaction } from '@ragmesh/postgres';
import type { MetadataFilter } from '../domain/metadata-filter.js';
import type { DocumentKey } from './document-index.repository.js';
import type { HybridHits, IndexedChunk, SearchHit } from './embedded-index/indexed-point.js';
import type { DocumentPoints, PointBatch, VersionRange } from './point.repository.js';

/** Whose points: a search never leaves them. */
export interface Scope {
  readonly tenant: string;
  readonly collection: string;
}

/** For whom something is looked up: whom access lists may name; nobody when left out. */
export type Principals = readonly string[];

/** `topK` ≥ 1; the same filter object means the same filter. */
export interface SearchOptions {
  readonly topK: number;
  readonly filter?: MetadataFilter | undefined;
  readonly principals?: Principals;
}

/** Chunks of one version by ordinal. */
export interface ChunkPlace {
  readonly documentId: string;
  /** 0: whichever is visible. */
  readonly version: number;
  readonly ordinals: readonly number[];
}

/** A version that becomes the visible one. */
export interface ShownVersion extends DocumentPoints {
  readonly version: number;
  readonly generation: number;
  /** How many points the rows have of it; the store must have as many. */
  readonly points: number;
  /** Versions whose rows the same transaction removes. */
  readonly older: readonly number[];
}

/**
 * What a transaction changes, said inside it while the document's row is locked. A rolled back transaction may be run
 * again, so each is safe to say twice.
 */
export interface StoreChanges {
  /** Takes points in, staged: nobody sees them before their version is shown. */
  stage(tx: SqlTransaction, batch: PointBatch): Promise<void> | void;
  /** Marks every point of a document with who may find it. */
  tag(tx: SqlTransaction, document: DocumentPoints, access: AccessList): Promise<void> | void;
  /** Hides a document, whatever its versions: its tombstone is about to be committed. */
  hide(tx: SqlTransaction, document: DocumentPoints): void;
  /** @throws RagmeshError `VECTOR.UNAVAILABLE` when the store lacks points of the version and cannot get them. */
  show(tx: SqlTransaction, shown: ShownVersion): Promise<void> | void;
  /** @returns how many points of these versions the store still has. */
  remove(tx: SqlTransaction, document: DocumentPoints, versions: VersionRange): Promise<number>;
}

/** What a store, or the rows, hold of one version of a document in one generation. */
export interface VersionInventory extends DocumentPoints {
  readonly generation: number;
  readonly version: number;
  readonly points: number;
  readonly visible: number;
  /** XOR of the points' content hashes; undefined where a store cannot hold other content than its rows. */
  readonly hash: bigint | undefined;
}

/** Points by which a store differed from the rows. */
export interface Drift {
  readonly missing: number;
  readonly extra: number;
  readonly stale: number;
}

/** What a generation is asked to be compared: the best of both legs. */
export interface Question {
  readonly vector: Float32Array;
  readonly text: string;
  readonly topK: number;
}

/** A hit as far as comparing needs it; each leg's score, where it found the point. */
export interface DocumentHit {
  readonly documentId: string;
  readonly pointId: string;
  readonly dense: number | undefined;
  readonly lexical: number;
}

/** What searches return: at once from memory, later from a server. */
export type Answer<T> = T | Promise<T>;

/** What was found for a caller. */
export interface Found<T> {
  readonly found: T;
  /** Whether a second store gave it, as the first is away. */
  readonly secondStore: boolean;
}

/**
 * Where points are searched. The rows of `point` and `document_index` are the truth for every store: which points exist,
 * which version and which generation readers see, who may read it. Who may read is part of what is searched for: what others may
 * not see takes no place among the hits. A store holds a searchable copy, follows the rows, and can be made of them again at
 * any time.
 */
export abstract class VectorStore {
  /** Asks on behalf of a caller: a store that has a second one lets that answer while it is away itself. */
  async ask<T>(question: (store: VectorStore) => Answer<T>): Promise<Found<T>> {
    return { found: await question(this), secondStore: false };
  }

  /** The visible points most similar to a vector, by cosine. @throws RagmeshError `VECTOR.DIMENSION_MISMATCH`. */
  abstract searchDense(scope: Scope, vector: Float32Array, options: SearchOptions): Answer<readonly SearchHit[]>;
  /** The visible points that match a query best, by BM25, above 0. */
  abstract searchLexical(scope: Scope, query: string, options: SearchOptions): Answer<readonly SearchHit[]>;
  /** The visible points that either leg finds, each scored by both, in no particular order. */
  abstract searchHybrid(scope: Scope, vector: Float32Array, query: string, options: SearchOptions): Answer<HybridHits>;
  /** Visible chunks by point id, in the order asked for; those that are gone are left out. */
  abstract points(scope: Scope, pointIds: readonly string[], principals?: Principals): Answer<readonly IndexedChunk[]>;
  /** Chunks of the visible version in order; none when another version is asked for. */
  abstract neighbours(scope: Scope, place: ChunkPlace, principals?: Principals): Answer<readonly IndexedChunk[]>;

  /** Runs a transaction about a document, one at a time, and lets the store follow what it committed. */
  abstract following(
    document: DocumentKey,
    commit: (changes: StoreChanges) => Promise<HandlerResult>,
  ): Promise<HandlerResult>;

  /** Another one whenever what searches see of a collection may have become something else; who may read what aside. */
  abstract shownStamp(scope: Scope): Answer<string>;
  /** The generation of a collection that searches see. */
  abstract liveGeneration(scope: Scope): Answer<number>;
  /** How many points the store itself has of a version of a document, or of all when it is 0. */
  abstract count(document: DocumentPoints, version: number): Answer<number>;
  /**
   * From now on searches of a collection see this generation; before, they see another one, never both.
   * @param run the transaction that changes the rows; whoever needs more in it passes another than the plain one.
   * @throws RagmeshError `REQUEST.INVALID` when the store has no point of it, and readers see documents of the collection.
   */
  abstract cutOver(scope: Scope, generation: number, run?: Database['transaction']): Promise<void>;
  /**
   * Sees to it that searches see the generation the rows name: whoever lost the answer to the commit of a {@link cutOver}
   * cannot know whether the store has followed it.
   */
  abstract followLive(scope: Scope): Promise<void>;
  /** Both legs in a generation that need not be the one readers see. */
  abstract searchIn(scope: Scope, generation: number, question: Question): Answer<readonly DocumentHit[]>;
  /** Removes a generation that readers do not see, rows and points. @throws RagmeshError `REQUEST.INVALID` for the live one. */
  abstract drop(scope: Scope, generation: number): Promise<void>;
  /** What the store has of some documents, in any collection. */
  abstract inventory(documents: readonly DocumentPoints[]): Answer<readonly VersionInventory[]>;
  /**
   * The documents the store has points of, pages in no order, a document perhaps more than once: so those without rows are found.
   * @param counted how many points it has of documents with rows. It tells of none when it has no more, or can have no others.
   */
  abstract documents(counted: number): AsyncIterable<readonly DocumentPoints[]>;
  /** Brings the store in line with a document's rows. @returns by how much it differed. */
  abstract repair(document: DocumentKey): Promise<Drift>;
}

export const noDrift: Drift = { missing: 0, extra: 0, stale: 0 };
