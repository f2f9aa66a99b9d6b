import { Injectable } from '@nestjs/common';
import { QueryWriter, type SaidBefore } from '../adapters/query-writer.js';
import { normaliseQuery } from '../domain/query-text.js';
import { OptionalStep, type Degradable } from './optional-step.js';

/** In a conversation a question may lean on those before it: "And in winter?" */
@Injectable()
export class QuestionInContext {
  constructor(
    private readonly writer: QueryWriter,
    private readonly optional: OptionalStep,
  ) {}

  /** The question as it is to be searched: so that it stands alone. As it was asked, when nobody can rewrite it. */
  async standalone(question: string, before: SaidBefore, run: Degradable): Promise<string> {
    const condense = () => this.writer.condense(question, before, run).then(normaliseQuery);
    return (await this.optional.attempt('condense', run, condense)) ?? question;
  }
}
