import { Injectable } from '@nestjs/common';
import { QueryWriter } from '../adapters/query-writer.js';
import type { FusedPoint } from '../domain/scored-point.js';
import { OptionalStep, type Degradable } from './optional-step.js';
import type { Candidates } from './rank-candidates.js';
import type { SearchRun } from './search-run.js';

/** Passages a model judges at a time; of more results the best. What it does not judge stays. */
const MAX_PASSAGES = 50;

export interface Checked {
  readonly candidates: Candidates;
  /** Without what does not support an answer; all of them when nothing does or nobody could say. */
  readonly points: readonly FusedPoint[];
  /** Undefined when it could not be checked. */
  readonly supported: boolean | undefined;
}

/** Has a language model judge what was found, and what was made of it. */
@Injectable()
export class SelfCheck {
  constructor(
    private readonly writer: QueryWriter,
    private readonly optional: OptionalStep,
  ) {}

  /**
   * Leaves out what does not support an answer. When nothing does, searches once more in other words.
   * @param again the search for another wording.
   */
  async ofPassages(first: Candidates, run: SearchRun, again: (text: string) => Promise<Candidates>): Promise<Checked> {
    return run.timings.measure('self_check', async () => {
      const graded = await this.#grade(first, run);
      if (!graded || graded.length > 0) return checked(first, graded);
      const paraphrase = () => this.writer.paraphrase(run.query.text, 1, run);
      const [other] = (await this.optional.attempt('self_check', run, paraphrase)) ?? [];
      if (other === undefined) return checked(first, graded);
      const second = await this.optional.attempt('self_check', run, () => again(other));
      if (!second) return checked(first, graded);
      const regraded = await this.#grade(second, run);
      return regraded && regraded.length > 0 ? checked(second, regraded) : checked(first, graded);
    });
  }

  /** Whether the passages support the answer; undefined, and named in `degraded`, when nobody could say. */
  async ofAnswer(question: string, answer: string, passages: string[], run: Degradable): Promise<boolean | undefined> {
    if (passages.length === 0) return false;
    const claim = { question, answer, passages: passages.slice(0, MAX_PASSAGES) };
    return this.optional.attempt('self_check', run, () => this.writer.verify(claim, run));
  }

  /** What stays; nothing when no passage supports an answer. */
  async #grade({ cut }: Candidates, run: SearchRun): Promise<readonly FusedPoint[] | undefined> {
    if (cut.length === 0) return [];
    const passages = cut.slice(0, MAX_PASSAGES).map(({ text }) => text);
    const grade = () => this.writer.grade(run.query.text, passages, run);
    const grades = await this.optional.attempt('self_check', run, grade);
    if (!grades || grades.relevant.size === 0) return grades && [];
    return cut.filter((_, position) => position >= grades.judged || grades.relevant.has(position));
  }
}

const checked = (candidates: Candidates, graded: readonly FusedPoint[] | undefined): Checked => ({
  candidates,
  points: graded && graded.length > 0 ? graded : candidates.cut,
  supported: graded && graded.length > 0,
});
