import { Inject, Injectable } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { QueryEmbedder, type QueryVector } from '../adapters/query-embedder.js';
import { IndexChanged, VectorIndex, type LegResult } from '../adapters/vector-index.js';
import { isCallersOwn, usableLegs, type LegOutcome, type UsableLegs } from '../domain/leg-outcomes.js';
import type { SearchRun } from './search-run.js';

/** One way to put a question. */
export interface Wording {
  /** What the lexical leg looks for. */
  readonly text: string;
  /** A passage as its answer might read, whose vector is averaged with that of the text (HyDE). */
  readonly hypothesis?: string;
}

/** What one wording found. */
export interface FoundLegs extends UsableLegs {
  /** The making of the index all of it is of, where it was told. */
  readonly generation: number | undefined;
  /** Whether a second store gave it, as the first is away. */
  readonly secondStore: boolean;
}

/** Asks the legs that the mode names for one wording. */
@Injectable()
export class SearchLegs {
  constructor(
    private readonly embedder: QueryEmbedder,
    private readonly index: VectorIndex,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws what is the caller's own, and the failure of the last leg that was left. */
  async find(run: SearchRun, wording: Wording): Promise<FoundLegs> {
    const { mode } = run.query;
    if (mode === 'hybrid') return this.#hybrid(run, wording);
    const [leg] = await Promise.allSettled([
      mode === 'dense' ? this.#dense(run, wording) : this.#lexical(run, wording),
    ]);
    if (hasChanged(leg)) throw leg.reason;
    this.#report(mode, leg);
    const points: LegOutcome = leg.status === 'fulfilled' ? { ...leg, value: leg.value.points } : leg;
    const legs = mode === 'dense' ? usableLegs(points, undefined) : usableLegs(undefined, points);
    const { generation, secondStore = false } = leg.status === 'fulfilled' ? leg.value : {};
    return { ...legs, generation, secondStore };
  }

  /** One call for both legs, so that what either finds is scored by both; where that fails, the lexical leg goes alone. */
  async #hybrid(run: SearchRun, wording: Wording): Promise<FoundLegs> {
    const both = await settled(this.#scoredByBoth(run, wording));
    if (both.status === 'fulfilled') return both.value;
    if (isCallersOwn(both.reason) || hasChanged(both)) throw both.reason;
    this.#report('dense', both);
    const { points: lexical, ...place } = await this.#lexical(run, wording);
    return { dense: [], lexical, missing: 'dense', ...place };
  }

  async #scoredByBoth(run: SearchRun, wording: Wording): Promise<FoundLegs> {
    const { query, scope, timings } = run;
    const vector = await this.#vectorOf(run, wording);
    const search = () => this.index.searchHybrid(query, wording.text, vector, scope);
    const { lexicalMs, ...found } = await timings.measure('vector_search', search);
    timings.note('lexical_search', lexicalMs);
    return { ...found, missing: null };
  }

  async #dense(run: SearchRun, wording: Wording): Promise<LegResult> {
    const { query, scope, timings } = run;
    const vector = await this.#vectorOf(run, wording);
    return timings.measure('vector_search', () => this.index.searchDense(query, vector, scope));
  }

  #lexical({ query, scope, timings }: SearchRun, { text }: Wording): Promise<LegResult> {
    return timings.measure('lexical_search', () => this.index.searchLexical(query, text, scope));
  }

  #vectorOf({ query, scope, timings, vector }: SearchRun, { text, hypothesis }: Wording): Promise<QueryVector> {
    const texts = hypothesis === undefined ? [text] : [text, hypothesis];
    const embed = (): Promise<QueryVector> => this.embedder.embed(query.collection, texts, scope);
    const isKnown = vector !== undefined && text === query.text && hypothesis === undefined;
    const usable = (known: QueryVector) => (this.embedder.isUsable(known, query.collection) ? known : embed());
    return timings.measure('embed_query', () => (isKnown ? vector.then(usable) : embed()));
  }

  #report(leg: string, outcome: PromiseSettledResult<unknown> | undefined): void {
    if (outcome?.status !== 'rejected' || isCallersOwn(outcome.reason)) return;
    const { code, details } = asRagmeshError(outcome.reason);
    this.logger.warn({ leg, code, reason: details.reason }, 'A leg of the search failed');
  }
}

/** The search is to be made anew, not to be given up in part. */
const hasChanged = (outcome: PromiseSettledResult<unknown> | undefined): outcome is PromiseRejectedResult =>
  outcome?.status === 'rejected' && outcome.reason instanceof IndexChanged;

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  return (await Promise.allSettled([work]))[0];
}
