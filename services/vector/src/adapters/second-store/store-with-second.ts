import type { OnApplicationBootstrap, OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { isRagmeshError } from '@ragmesh/errors';
import type { HandlerResult } from '@ragmesh/messaging';
import { counter, type Logger } from '@ragmesh/observability';
import type { Database } from '@ragmesh/postgres';
import type { DocumentKey } from '../document-index.repository.js';
import type { HybridHits, IndexedChunk, SearchHit } from '../embedded-index/indexed-point.js';
import type { DocumentPoints } from '../point.repository.js';
import {
  VectorStore,
  type Answer,
  type ChunkPlace,
  type DocumentHit,
  type Drift,
  type Found,
  type Principals,
  type Question,
  type Scope,
  type SearchOptions,
  type StoreChanges,
  type VersionInventory,
} from '../vector-store.js';
import type { SecondStoreUpkeep } from './second-store-upkeep.js';

export type FirstStore = VectorStore & OnModuleDestroy;
export type SecondStore = VectorStore & OnModuleInit;

/** A store that comes and goes with every other search is not told of each time. */
const TOLD_AGAIN_AFTER_MS = 60_000;

/**
 * A store on a server, and a second one in the database that has the rows. What is asked on behalf of callers the second one
 * answers while the first is away; everything else is the first one's alone. Changes are said to both, in the transaction that
 * writes the rows, and only where the first one took them: so the second shows what the rows show, and never anything else.
 */
export class StoreWithSecond extends VectorStore implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  private isAway = false;
  private toldAt = -Infinity;

  constructor(
    private readonly first: FirstStore,
    private readonly second: SecondStore,
    private readonly upkeep: SecondStoreUpkeep,
    private readonly logger: Logger,
  ) {
    super();
  }

  async onModuleInit(): Promise<void> {
    await this.second.onModuleInit();
  }

  onApplicationBootstrap(): void {
    this.upkeep.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.upkeep.stop();
    await this.first.onModuleDestroy();
  }

  override async ask<T>(question: (store: VectorStore) => Answer<T>): Promise<Found<T>> {
    try {
      const found = await question(this.first);
      this.isAway = false;
      return { found, secondStore: false };
    } catch (error) {
      if (!isUnavailable(error) || !this.upkeep.isWhole) throw error;
      this.tell(error);
    }
    const found = await question(this.second);
    counter('ragmesh_second_store_answers_total').inc();
    return { found, secondStore: true };
  }

  private tell(error: unknown): void {
    const now = performance.now();
    const isTold = this.isAway || now - this.toldAt < TOLD_AGAIN_AFTER_MS;
    this.isAway = true;
    if (isTold) return;
    this.toldAt = now;
    this.logger.warn({ err: error }, 'The vector store is away; the second one answers searches meanwhile');
  }

  following(document: DocumentKey, commit: (changes: StoreChanges) => Promise<HandlerResult>): Promise<HandlerResult> {
    return this.first.following(document, (first) =>
      this.second.following(document, (second) => commit(saidToBoth(first, second))),
    );
  }

  searchDense(scope: Scope, vector: Float32Array, options: SearchOptions): Answer<readonly SearchHit[]> {
    return this.first.searchDense(scope, vector, options);
  }

  searchLexical(scope: Scope, query: string, options: SearchOptions): Answer<readonly SearchHit[]> {
    return this.first.searchLexical(scope, query, options);
  }

  searchHybrid(scope: Scope, vector: Float32Array, query: string, options: SearchOptions): Answer<HybridHits> {
    return this.first.searchHybrid(scope, vector, query, options);
  }

  points(scope: Scope, pointIds: readonly string[], principals?: Principals): Answer<readonly IndexedChunk[]> {
    return this.first.points(scope, pointIds, principals);
  }

  neighbours(scope: Scope, place: ChunkPlace, principals?: Principals): Answer<readonly IndexedChunk[]> {
    return this.first.neighbours(scope, place, principals);
  }

  shownStamp(scope: Scope): Answer<string> {
    return this.first.shownStamp(scope);
  }

  liveGeneration(scope: Scope): Answer<number> {
    return this.first.liveGeneration(scope);
  }

  count(document: DocumentPoints, version: number): Answer<number> {
    return this.first.count(document, version);
  }

  cutOver(scope: Scope, generation: number, run?: Database['transaction']): Promise<void> {
    return this.first.cutOver(scope, generation, run);
  }

  followLive(scope: Scope): Promise<void> {
    return this.first.followLive(scope);
  }

  searchIn(scope: Scope, generation: number, question: Question): Answer<readonly DocumentHit[]> {
    return this.first.searchIn(scope, generation, question);
  }

  drop(scope: Scope, generation: number): Promise<void> {
    return this.first.drop(scope, generation);
  }

  inventory(documents: readonly DocumentPoints[]): Answer<readonly VersionInventory[]> {
    return this.first.inventory(documents);
  }

  documents(counted: number): AsyncIterable<readonly DocumentPoints[]> {
    return this.first.documents(counted);
  }

  repair(document: DocumentKey): Promise<Drift> {
    return this.first.repair(document);
  }
}

/** The first store before the second, whose rows are locked until the commit: nobody waits for a server while they are. */
const saidToBoth = (first: StoreChanges, second: StoreChanges): StoreChanges => ({
  stage: async (tx, batch) => {
    await first.stage(tx, batch);
    await second.stage(tx, batch);
  },
  tag: async (tx, document, access) => {
    await first.tag(tx, document, access);
    await second.tag(tx, document, access);
  },
  hide: (tx, document) => {
    first.hide(tx, document);
    second.hide(tx, document);
  },
  show: async (tx, shown) => {
    await first.show(tx, shown);
    await second.show(tx, shown);
  },
  remove: async (tx, document, versions) => {
    const left = await first.remove(tx, document, versions);
    return Math.max(left, await second.remove(tx, document, versions));
  },
});

const isUnavailable = (error: unknown): boolean =>
  isRagmeshError(error) && error.code === 'VECTOR.UNAVAILABLE' && error.retry === 'transient';
