import type { ChatRequest, TokenUsage } from './language-model.js';

const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/gu;
/** Rule of thumb for byte-pair vocabularies: four characters a token in spaced scripts, about one in the others. */
const CHARACTERS_PER_TOKEN = 4;

/** Tokens of a text, roughly, for providers that do not report them. */
export function estimateTokens(text: string): number {
  const dense = text.match(UNSPACED)?.length ?? 0;
  return dense + Math.ceil((text.length - dense) / CHARACTERS_PER_TOKEN);
}

/** What a request and as much of its answer took, where the provider does not tell. */
export function estimateUsage({ messages }: Pick<ChatRequest, 'messages'>, answer: string): TokenUsage {
  const promptTokens = messages.reduce((sum, { content }) => sum + estimateTokens(content), 0);
  return { promptTokens, completionTokens: estimateTokens(answer) };
}
