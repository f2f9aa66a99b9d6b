import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { cacheKey } from '@ragmesh/cache';
import { LRUCache } from 'lru-cache';
import { QuestionIndex, type KnownQuestion } from '../domain/question-index.js';
import type { RetrievalConfig } from '../retrieval.config.js';

/** Questions of one kind; a new one is compared with all of them. */
const MAX_QUESTIONS = 500;

/** Where a question is remembered. */
interface Place {
  readonly group: string;
  readonly key: string;
}

/**
 * Which questions were asked lately, by kind: a tenant, a collection, parameters and a model are one. Of all kinds together no
 * more than results are kept, since a question without results is of no use. Holds no results: whether those may still be
 * served, the cache of results knows.
 */
@Injectable()
export class SimilarQuestions {
  readonly #groups = new Map<string, QuestionIndex>();
  /** Every question of every kind, by when it was last of use. */
  readonly #places: LRUCache<string, Place>;
  readonly #threshold: number | undefined;

  constructor(@Inject(CONFIG) config: RetrievalConfig) {
    this.#threshold = config.CACHE_SIMILARITY;
    this.#places = new LRUCache<string, Place>({
      max: config.CACHE_SIZE,
      dispose: (place, _id, reason) => {
        if (reason !== 'set') this.#remove(place);
      },
    });
  }

  get isOn(): boolean {
    return this.#threshold !== undefined;
  }

  /** Questions remembered, of all kinds. */
  get size(): number {
    let size = 0;
    for (const index of this.#groups.values()) size += index.size;
    return size;
  }

  /** Keys of the results of questions that are similar enough, most similar first. */
  find(group: string, question: Omit<KnownQuestion, 'key'>): string[] {
    const keys = this.#groups.get(group)?.similar(question, this.#threshold!) ?? [];
    for (const key of keys) this.#places.get(idOf({ group, key }));
    return keys;
  }

  remember(group: string, question: KnownQuestion): void {
    const index = this.#groups.get(group) ?? new QuestionIndex(MAX_QUESTIONS);
    this.#groups.set(group, index);
    const forgotten = index.add(question);
    if (forgotten !== undefined) this.forget(group, forgotten);
    const place = { group, key: question.key };
    this.#places.set(idOf(place), place);
  }

  /** The results of that question are gone. */
  forget(group: string, key: string): void {
    this.#places.delete(idOf({ group, key }));
  }

  #remove({ group, key }: Place): void {
    const index = this.#groups.get(group);
    index?.remove(key);
    if (index?.size === 0) this.#groups.delete(group);
  }
}

const idOf = ({ group, key }: Place): string => cacheKey(group, key);
