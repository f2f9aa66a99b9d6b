import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import type { SearchFields } from '../domain/search-query.js';
import type { AnswerOptions } from './answer-query.js';
import { CachedAnswer, type Telling } from './cached-answer.js';
import { CachedSearch } from './cached-search.js';
import { PrepareSearch, type Prepared } from './prepare-search.js';

/** Searches of one call. */
export const MAX_WARMED = 100;
/** So few at a time that those who wait for an answer hardly notice. */
const AT_ONCE = 2;

/** A question that says nothing but itself. */
const PLAIN = { conversationId: '', history: [], instructions: '', model: '' } satisfies AnswerOptions;

export interface Warmed {
  /** Searched now and kept. */
  warmed: number;
  /** Kept already. */
  known: number;
  /** Failed, degraded, or made while what they found changed: not kept. */
  failed: number;
}

/** Makes searches, and answers, ahead of those who will ask. */
@Injectable()
export class WarmCache {
  constructor(
    private readonly prepare: PrepareSearch,
    private readonly search: CachedSearch,
    private readonly answers: CachedAnswer,
  ) {}

  /**
   * @param telling how answers are told; without it only the searches are made.
   * @throws RagmeshError REQUEST.INVALID before anything is searched, when one of them is wrong.
   */
  async run(searches: readonly SearchFields[], telling: Telling | undefined, scope: CallScope): Promise<Warmed> {
    if (searches.length > MAX_WARMED) {
      const message = `The field queries must have at most ${MAX_WARMED} entries.`;
      throw new RagmeshError('REQUEST.INVALID', message, { field: 'queries', limit: MAX_WARMED });
    }
    const waiting: Prepared[] = [];
    for (const fields of searches) waiting.push(await this.prepare.from(fields));
    const counts: Warmed = { warmed: 0, known: 0, failed: 0 };
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        if (await this.#isKept(next, telling)) counts.known += 1;
        else if (await this.#keeps(next, telling, scope)) counts.warmed += 1;
        else counts.failed += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return counts;
  }

  #isKept(prepared: Prepared, telling: Telling | undefined): Promise<boolean> {
    return telling ? this.answers.isKept(prepared, PLAIN) : this.search.isKept(prepared.query);
  }

  async #keeps(prepared: Prepared, telling: Telling | undefined, scope: CallScope): Promise<boolean> {
    try {
      if (telling) for await (const _ of this.answers.run(prepared, PLAIN, telling, scope));
      else await this.search.run(prepared.query, scope);
      return await this.#isKept(prepared, telling);
    } catch (error) {
      scope.deadline.throwIfExpired();
      if (error instanceof RagmeshError && error.retry === 'permanent') throw error;
      return false;
    }
  }
}
