import type { MessageInitShape } from '@bufbuild/protobuf';
import type { generationV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { z } from 'zod';
import type { questionsAnswer } from './questions.schema.js';

type Source = MessageInitShape<typeof generationV1.SourceSchema>;
type UsageBody = z.input<typeof questionsAnswer>['usage'];
type QuestionBody = z.input<typeof questionsAnswer>['questions'][number];

export const usageBody = ({ promptTokens, completionTokens, cost }: generationV1.Usage): UsageBody => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  ...(cost === undefined ? {} : { cost }),
});

/** @param sources what the questions were made of, in the order they were given. */
export function questionBody(written: generationV1.Question, sources: readonly Source[]): QuestionBody {
  const { question, options, correctAnswer, explanation, citation } = written;
  const source = citation ? sources[citation.source] : undefined;
  if (!citation || !source) throw new RagmeshError('INTERNAL.UNEXPECTED', 'A question came without its source.');
  return {
    question,
    options,
    correct_answer: correctAnswer,
    explanation,
    citation: {
      document_id: citation.documentId,
      version: Number(source.version ?? 0),
      start: citation.start,
      end: citation.end,
      text: citation.text,
      page: source.page ?? null,
      heading: source.heading ?? null,
    },
  };
}
