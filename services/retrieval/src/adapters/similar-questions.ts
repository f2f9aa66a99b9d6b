import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { LRUCache } from 'lru-cache';
import { QuestionIndex, type KnownQuestion } from '../domain/question-index.js';
import type { RetrievalConfig } from '../retrieval.config.js';

/** Kinds of searches remembered: a tenant, a collection, parameters and a model are one. */
const MAX_GROUPS = 1_000;
/** Questions of one kind; a new one is compared with all of them. */
const MAX_QUESTIONS = 500;

/** Which questions were asked lately. Holds no results: whether those may still be served, the cache of results knows. */
@Injectable()
export class SimilarQuestions {
  readonly #groups = new LRUCache<string, QuestionIndex>({ max: MAX_GROUPS });
  readonly #threshold: number | undefined;

  constructor(@Inject(CONFIG) config: RetrievalConfig) {
    this.#threshold = config.CACHE_SIMILARITY;
  }

  get isOn(): boolean {
    return this.#threshold !== undefined;
  }

  /** Keys of the results of questions that are similar enough, most similar first. */
  find(group: string, question: Omit<KnownQuestion, 'key'>): string[] {
    return this.#groups.get(group)?.similar(question, this.#threshold!) ?? [];
  }

  remember(group: string, question: KnownQuestion): void {
    const index = this.#groups.get(group) ?? new QuestionIndex(MAX_QUESTIONS);
    index.add(question);
    this.#groups.set(group, index);
  }

  /** The results of that question are gone. */
  forget(group: string, key: string): void {
    this.#groups.get(group)?.remove(key);
  }
}
