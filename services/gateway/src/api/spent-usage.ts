import type { generationV1, retrievalV1 } from '@ragmesh/contracts';

/** Tokens of one or more calls of language models; the cost in US dollars, null where one of them has no price. */
export interface SpentUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cost: number | null;
}

export const usageBody = ({ promptTokens, completionTokens, cost }: generationV1.Usage): SpentUsage => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  cost: cost ?? null,
});

/** What an answer took in all: to be written, and beside that to understand its question, to search and to check. */
export function answerUsage({ usage, writingUsage }: retrievalV1.Answered): SpentUsage | null {
  if (!usage) return null;
  const [answer, beside] = [usageBody(usage), writingUsage && usageBody(writingUsage)];
  if (!beside || tokensOf(beside) === 0) return answer;
  return {
    prompt_tokens: answer.prompt_tokens + beside.prompt_tokens,
    completion_tokens: answer.completion_tokens + beside.completion_tokens,
    cost: tokensOf(answer) === 0 ? beside.cost : costOfBoth(answer, beside),
  };
}

const tokensOf = (usage: SpentUsage): number => usage.prompt_tokens + usage.completion_tokens;

const costOfBoth = (one: SpentUsage, other: SpentUsage): number | null =>
  one.cost === null || other.cost === null ? null : one.cost + other.cost;
