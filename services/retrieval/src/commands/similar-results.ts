import { Injectable } from '@nestjs/common';
import type { CallScope } from '@ragmesh/grpc';
import { QueryEmbedder, type QueryVector } from '../adapters/query-embedder.js';
import { ResultCache } from '../adapters/result-cache.js';
import { SimilarQuestions } from '../adapters/similar-questions.js';
import type { SearchQuery } from '../domain/search-query.js';
import { floatsOf } from '../domain/vector-bytes.js';
import type { Results } from './search.js';

/** What became of the attempt to find a similar question. */
export interface Likeness {
  /** Of the question, or why it has none; the search for it need not ask again. */
  readonly vector: Promise<QueryVector>;
  /** Those of the most similar question, when there is one. */
  readonly results: Results | undefined;
  /** Makes the question one that others may be similar to, once its results are kept under its key. */
  remember(key: string): void;
}

/**
 * The semantic cache: a question that is nearly another gets the other's results. What is served is the other's own entry of
 * the result cache, so it is evicted by the same events at the same moment.
 */
@Injectable()
export class SimilarResults {
  constructor(
    private readonly embedder: QueryEmbedder,
    private readonly questions: SimilarQuestions,
    private readonly cache: ResultCache,
  ) {}

  /** Not for lexical searches: there the words decide. */
  covers({ mode }: SearchQuery): boolean {
    return this.questions.isOn && mode !== 'lexical';
  }

  /** Never throws: without a vector nothing is similar, and the search finds out what that means for it. */
  async find(tenant: string, query: SearchQuery, scope: CallScope): Promise<Likeness> {
    const vector = this.embedder.embed(query.collection, [query.text], scope);
    const known = await vector.catch(() => undefined);
    if (!known) return { vector, results: undefined, remember: () => undefined };
    const kind = this.cache.kindOf(tenant, query, known.model);
    const question = { text: query.text, vector: floatsOf(known.bytes) };
    const remember = (key: string): void => this.questions.remember(kind, { ...question, key });
    return { vector, results: await this.#kept(kind, question), remember };
  }

  async #kept(kind: string, question: { text: string; vector: Float32Array }): Promise<Results | undefined> {
    for (const key of this.questions.find(kind, question)) {
      const results = await this.cache.known(key);
      if (results) return results;
      this.questions.forget(kind, key);
    }
    return undefined;
  }
}
