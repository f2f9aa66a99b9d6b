import { Injectable } from '@nestjs/common';
import { QueryWriter } from '../adapters/query-writer.js';
import { OptionalStep } from './optional-step.js';
import type { Wording } from './search-legs.js';
import type { SearchRun } from './search-run.js';

/** Further wordings of a question; more of them find little that is new. */
const PARAPHRASES = 3;

/** Puts a question in other words, and imagines its answer, where that was asked for. */
@Injectable()
export class RewordQuestion {
  constructor(
    private readonly writer: QueryWriter,
    private readonly optional: OptionalStep,
  ) {}

  /** The question as it was asked comes first. Never throws but when nobody waits any more. */
  async wordingsOf(run: SearchRun): Promise<readonly [Wording, ...Wording[]]> {
    const { text, multiQuery, hyde } = run.query;
    if (!multiQuery && !hyde) return [{ text }];
    const { writer, optional } = this;
    const paraphrase = () => writer.paraphrase(text, PARAPHRASES, run);
    const hypothesise = () => writer.hypothesise(text, run);
    const [paraphrases = [], hypothesis] = await run.timings.measure('rewrite', () =>
      Promise.all([
        multiQuery ? optional.attempt('multi_query', run, paraphrase) : [],
        hyde ? optional.attempt('hyde', run, hypothesise) : undefined,
      ]),
    );
    const others = [...new Set(paraphrases)].filter((other) => other !== text).map((other) => ({ text: other }));
    return [hypothesis === undefined ? { text } : { text, hypothesis }, ...others];
  }
}
