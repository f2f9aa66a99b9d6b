import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import type { QueryVector } from '../adapters/query-embedder.js';
import { IndexChanged } from '../adapters/vector-index.js';
import type { Explanation } from '../domain/explanation.js';
import type { FusedPoint } from '../domain/scored-point.js';
import type { SearchQuery } from '../domain/search-query.js';
import type { Tokens } from '../domain/spent-tokens.js';
import { RetrievalEvents } from '../publishes/retrieval-events.js';
import { RankCandidates } from './rank-candidates.js';
import { RewordQuestion } from './reword-question.js';
import type { Wording } from './search-legs.js';
import { SearchRun } from './search-run.js';
import { SelfCheck } from './self-check.js';
import type { StageTimings } from './stage-timings.js';
import { WidenResults } from './widen-results.js';

/** Searches before giving up on an index that changes under them. */
const MAX_ATTEMPTS = 5;

/** What a search gives, and what is kept of it. */
export interface Results {
  /** Best first, at most `top_k`. */
  readonly points: readonly FusedPoint[];
  /** Every fallback taken. */
  readonly degraded: readonly string[];
  /** When it was asked for. */
  readonly explanation?: Explanation;
  /** With a self-check that could be made: whether the points support an answer. */
  readonly supported?: boolean;
  /** When the index was first asked for them, in ms since 1970: what was taken back since may be among them, kept or not. */
  readonly readAt: number;
}

export interface Found extends Results {
  readonly timings: StageTimings;
  /** By language models, for this search. */
  readonly spent: Tokens;
}

/** Words, candidates, check, context: the steps of a search, each in a file of its own. */
@Injectable()
export class Search {
  constructor(
    private readonly wording: RewordQuestion,
    private readonly candidates: RankCandidates,
    private readonly selfCheck: SelfCheck,
    private readonly context: WidenResults,
    private readonly events: RetrievalEvents,
  ) {}

  /**
   * @param vector of the question, where it was asked for already.
   * @throws RagmeshError VECTOR.UNAVAILABLE when no leg gave anything, EMBEDDING.UNAVAILABLE in dense mode without a
   * vector, FILTER.* and REQUEST.* as they are.
   */
  async run(query: SearchQuery, scope: CallScope, vector?: Promise<QueryVector>): Promise<Found> {
    const run = new SearchRun(query, scope, vector);
    const wordings = await this.wording.wordingsOf(run);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      try {
        return await this.#attempt(run, wordings);
      } catch (error) {
        if (!(error instanceof IndexChanged)) throw error;
      }
    }
    throw new RagmeshError('VECTOR.UNAVAILABLE', 'The documents changed faster than they could be read.');
  }

  async #attempt(run: SearchRun, wordings: readonly [Wording, ...Wording[]]): Promise<Found> {
    const { query, timings } = run;
    const readAt = Date.now();
    const first = await this.candidates.rank(run, wordings);
    const again = (text: string) => this.candidates.rank(run, [{ text }]);
    const { candidates, points, supported } = query.selfCheck
      ? await this.selfCheck.ofPassages(first, run, again)
      : { candidates: first, points: first.cut, supported: undefined };
    const results = await this.context.widen(points, run);
    const steps = { ...candidates, supported: points, results };
    const explanation = query.explain ? await this.candidates.explain(steps, run) : undefined;
    this.events.retrievalCompleted(query, results.length, timings.elapsedMs);
    return {
      points: results,
      degraded: [...run.degraded],
      readAt,
      timings,
      spent: run.spent.sum,
      ...(supported === undefined ? {} : { supported }),
      ...(explanation ? { explanation } : {}),
    };
  }
}
