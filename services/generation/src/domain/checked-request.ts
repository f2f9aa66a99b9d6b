import { RagmeshError } from '@ragmesh/errors';

/** Longest question, in UTF-16 units. */
export const MAX_QUESTION = 10_000;
/** Longest instructions of a caller, in UTF-16 units. */
export const MAX_INSTRUCTIONS = 8_000;
const MAX_TEMPERATURE = 2;

/** @throws RagmeshError REQUEST.INVALID for an empty question or one that is too long. */
export function checkQuestion(question: string): string {
  if (question.trim() !== '' && question.length <= MAX_QUESTION) return question;
  throw new RagmeshError(
    'REQUEST.INVALID',
    `The field question must not be empty and have at most ${MAX_QUESTION} characters.`,
    { field: 'question', limit: MAX_QUESTION },
  );
}

/** @throws RagmeshError REQUEST.INVALID for instructions that are too long. */
export function checkInstructions(instructions: string): string {
  if (instructions.length <= MAX_INSTRUCTIONS) return instructions;
  const message = `The field instructions must have at most ${MAX_INSTRUCTIONS} characters.`;
  throw new RagmeshError('REQUEST.INVALID', message, { field: 'instructions', limit: MAX_INSTRUCTIONS });
}

/** @throws RagmeshError REQUEST.INVALID outside 0..2, which is what providers take. */
export function checkTemperature(temperature: number | undefined): number | undefined {
  if (temperature === undefined || (temperature >= 0 && temperature <= MAX_TEMPERATURE)) return temperature;
  throw new RagmeshError('REQUEST.INVALID', `The field temperature must be from 0 to ${MAX_TEMPERATURE}.`, {
    field: 'temperature',
    limit: MAX_TEMPERATURE,
  });
}

/**
 * Longest answer in tokens: what was asked for, and never more than `limit`. Who asks for more gets that many, as clients send
 * the most they could take rather than what they need.
 * @throws RagmeshError REQUEST.INVALID below 1.
 */
export function checkMaxTokens(maxTokens: number | undefined, limit: number): number {
  if (maxTokens === undefined) return limit;
  if (maxTokens >= 1) return Math.min(maxTokens, limit);
  throw new RagmeshError('REQUEST.INVALID', 'The field max_tokens must be at least 1.', {
    field: 'max_tokens',
    limit: 1,
  });
}
