import { counter, currentContext } from '@ragmesh/observability';
import { estimateTokens } from '../../domain/token-estimate.js';

/**
 * Counts what a provider charges for these texts, for the tenant of the running work: the tokens its answer names, or an estimate,
 * since not every provider names them. @returns them.
 */
export function countTokens(model: string, texts: readonly string[], answer: unknown): number {
  const tenant = currentContext()?.tenant ?? '';
  const tokens = namedTokens(answer) ?? estimated(texts);
  counter('ragmesh_embedding_tokens_total').inc({ tenant, model }, tokens);
  return tokens;
}

function namedTokens(answer: unknown): number | undefined {
  const tokens = (answer as { usage?: { total_tokens?: unknown } | null } | null)?.usage?.total_tokens;
  return typeof tokens === 'number' && Number.isFinite(tokens) && tokens >= 0 ? tokens : undefined;
}

const estimated = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + estimateTokens(text, Infinity), 0);
