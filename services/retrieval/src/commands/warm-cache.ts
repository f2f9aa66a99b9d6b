import { Injectable } from '@nestjs/common';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import { ANONYMOUS, currentContext, inContext } from '@ragmesh/observability';
import { ReaderScope } from '../adapters/reader-scope.js';
import { collectionOf, type SearchFields } from '../domain/search-query.js';
import { SpentTokens, type Tokens } from '../domain/spent-tokens.js';
import type { AnswerOptions } from './answer-query.js';
import { CachedAnswer, type Telling } from './cached-answer.js';
import { CachedSearch } from './cached-search.js';
import { PrepareSearch, type Prepared } from './prepare-search.js';

/** Searches of one call. */
export const MAX_WARMED = 100;
/** So few at a time that those who wait for an answer hardly notice. */
const AT_ONCE = 2;
/** Kept back from the caller's time to tell what came of it, in ms. */
const RESERVE_MS = 500;

/** What they found changed meanwhile, or nothing is kept here at all. */
const NOT_KEPT = 'not_kept';

/** A question that says nothing but itself. */
const PLAIN = { conversationId: '', history: [], instructions: '', model: '', stop: [] } satisfies AnswerOptions;

export interface Warmed {
  /** Searched now and kept. */
  warmed: number;
  /** Kept already. */
  known: number;
  /** Failed, degraded, made while what they found changed, or out of time: not kept. */
  failed: number;
  /** Why, and how many for each: the code of an error, a step they went without as in `degraded`, or `not_kept`. */
  readonly reasons: Record<string, number>;
  /** By language models, also for what is not kept. */
  readonly usage: Tokens;
}

/** Searches of one call under way, and what came of those before. */
interface Warming {
  readonly telling: Telling | undefined;
  readonly scope: CallScope;
  readonly spent: SpentTokens;
}

/** Makes searches, and answers, ahead of those who will ask, as one of them: an operator may see more than they do. */
@Injectable()
export class WarmCache {
  constructor(
    private readonly prepare: PrepareSearch,
    private readonly search: CachedSearch,
    private readonly answers: CachedAnswer,
    private readonly readers: ReaderScope,
  ) {}

  /**
   * Ends with the caller's time, and then tells how far it came.
   * @param telling how answers are told; without it only the searches are made.
   * @throws RagmeshError REQUEST.INVALID before anything is searched, when one of them is wrong or of a collection whose
   * readers differ in what they see of it.
   */
  async run(searches: readonly SearchFields[], telling: Telling | undefined, scope: CallScope): Promise<Warmed> {
    if (searches.length > MAX_WARMED) {
      const message = `The field queries must have at most ${MAX_WARMED} entries.`;
      throw new RagmeshError('REQUEST.INVALID', message, { field: 'queries', limit: MAX_WARMED });
    }
    const deadline = scope.deadline.within(scope.deadline.remainingMs - RESERVE_MS);
    const caller = currentContext()!;
    // While authentication is off whoever asks sees what this caller does, whatever lists there are.
    const isAnybody = caller.subject === ANONYMOUS;
    return inContext(isAnybody ? caller : { ...caller, principals: [] }, async () => {
      for (const collection of new Set(searches.map(collectionOf))) if (!isAnybody) await this.#checkOpen(collection);
      for (const fields of searches) await this.prepare.from(fields);
      return this.#warm([...searches], { telling, scope: { ...scope, deadline }, spent: new SpentTokens() });
    });
  }

  async #checkOpen(collection: string): Promise<void> {
    if (await this.readers.isOpen(collection)) return;
    const message = 'The field collection names one with access lists: its results hold for their own reader only.';
    throw new RagmeshError('REQUEST.INVALID', message, { field: 'collection' });
  }

  async #warm(waiting: SearchFields[], warming: Warming): Promise<Warmed> {
    const { telling, scope, spent } = warming;
    const counts: Omit<Warmed, 'usage'> = { warmed: 0, known: 0, failed: 0, reasons: {} };
    const fail = (reasons: readonly string[]): void => {
      counts.failed += 1;
      for (const reason of reasons) counts.reasons[reason] = (counts.reasons[reason] ?? 0) + 1;
    };
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        if (scope.deadline.hasExpired) fail(['REQUEST.TIMEOUT']);
        else if (await this.#isKept(next, telling)) counts.known += 1;
        else {
          const reasons = await this.#make(next, warming);
          if (reasons.length === 0) counts.warmed += 1;
          else fail(reasons);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return { ...counts, usage: spent.sum };
  }

  /** Whether the next one who asks finds it: of what is in the collection by now. */
  async #isKept(fields: SearchFields, telling: Telling | undefined): Promise<boolean> {
    const prepared = await this.prepare.from(fields);
    return telling ? this.answers.isKept(prepared, PLAIN) : this.search.isKept(prepared.query);
  }

  /** @returns why it is not kept; nothing when it is. */
  async #make(fields: SearchFields, warming: Warming): Promise<readonly string[]> {
    const { telling, scope } = warming;
    try {
      const prepared = await this.prepare.from(fields);
      const degraded = telling ? await this.#answer(prepared, telling, warming) : await this.#search(prepared, warming);
      if (await this.#isKept(fields, telling)) return [];
      return degraded.length > 0 ? degraded : [NOT_KEPT];
    } catch (error) {
      if (scope.signal.aborted) throw error;
      if (scope.deadline.hasExpired) return ['REQUEST.TIMEOUT'];
      if (error instanceof RagmeshError && error.retry === 'permanent') throw error;
      return [asRagmeshError(error).code];
    }
  }

  /** @returns what the search went without. */
  async #search({ query }: Prepared, { scope, spent }: Warming): Promise<readonly string[]> {
    const found = await this.search.run(query, scope);
    spent.add(found.spent);
    return found.degraded;
  }

  /** @returns what the answer went without. */
  async #answer(prepared: Prepared, telling: Telling, { scope, spent }: Warming): Promise<readonly string[]> {
    let degraded: readonly string[] = [];
    for await (const { event } of this.answers.run(prepared, PLAIN, telling, scope)) {
      if (event.case !== 'done') continue;
      ({ degraded } = event.value);
      if (event.value.answerRepeated) continue; // whoever had it made pays for it
      spent.add(event.value.usage);
      spent.add(event.value.writingUsage);
    }
    return degraded;
  }
}
