import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import type { ChargedUsage } from './usage-ledger.js';

/** What several calls took together; without a cost when a call has none. */
export function totalUsage(usages: readonly ChargedUsage[]): ChargedUsage {
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, number) => all + number, 0);
  const costs = usages.flatMap(({ cost }) => cost ?? []);
  return {
    promptTokens: sum(usages.map(({ promptTokens }) => promptTokens)),
    completionTokens: sum(usages.map(({ completionTokens }) => completionTokens)),
    ...(costs.length > 0 && costs.length === usages.length ? { cost: sum(costs) } : {}),
  };
}

/** What a call took that failed, where its error tells. */
export function usageOfFailure(error: unknown): ChargedUsage | undefined {
  const { promptTokens, completionTokens, cost } = asRagmeshError(error).details;
  if (typeof promptTokens !== 'number' || typeof completionTokens !== 'number') return undefined;
  return { promptTokens, completionTokens, ...(typeof cost === 'number' ? { cost } : {}) };
}

/** The error, telling what was spent until it came; as it is when nothing was. */
export function failureWithUsage(error: unknown, spent: readonly ChargedUsage[]): unknown {
  if (spent.length === 0) return error;
  const { code, message, details } = asRagmeshError(error);
  return new RagmeshError(code, message, { ...details, ...totalUsage(spent) }, { cause: error });
}
