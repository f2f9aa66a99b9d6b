import { windowSeconds, type Scope, type Unit } from './limits.js';

/** One limit and how much of it is used. */
export interface QuotaState {
  readonly scope: Scope;
  readonly unit: Unit;
  readonly limit: number;
  readonly used: number;
  /** Milliseconds until it is given anew. */
  readonly resetMs: number;
}

export const isExceeded = ({ used, limit }: QuotaState): boolean => used > limit;

/** A caller who has nothing left may begin nothing more, although nothing was exceeded yet. */
export const isUsedUp = ({ used, limit }: QuotaState): boolean => used >= limit;

export const secondsToReset = ({ resetMs }: QuotaState): number => Math.max(1, Math.ceil(resetMs / 1_000));

/**
 * `RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers-10 has them: quota `q` in a window of `w`
 * seconds, of which `r` remain, given anew in `t` seconds.
 */
export function rateLimitHeaders(states: readonly QuotaState[]): Record<string, string> {
  if (states.length === 0) return {};
  const list = (parameters: (state: QuotaState) => string): string =>
    states.map((state) => `"${state.scope}-${state.unit}";${parameters(state)}`).join(', ');
  return {
    'ratelimit-policy': list(({ unit, limit }) => `q=${limit};w=${windowSeconds[unit]}`),
    ratelimit: list((state) => `r=${Math.max(0, state.limit - state.used)};t=${secondsToReset(state)}`),
  };
}
