import { isRagmeshError } from '@ragmesh/errors';
import type { Legs } from './fusion.js';
import type { ScoredPoint } from './scored-point.js';

/** What became of a leg; undefined when the mode does not use it. */
export type LegOutcome = PromiseSettledResult<readonly ScoredPoint[]> | undefined;

export interface UsableLegs extends Legs {
  /** The leg that was asked and failed. */
  readonly missing: keyof Legs | null;
}

/**
 * Whether a search can go on with what its legs gave. One failed leg of two is left out and named; a leg that was the
 * only one asked, or both, fails the search, because an answer without retrieval would be ungrounded.
 * @throws the failure of a leg when it is the caller's own (a wrong filter, a cancelled call), and when nothing is left.
 */
export function usableLegs(dense: LegOutcome, lexical: LegOutcome): UsableLegs {
  const failures = [lexical, dense].flatMap((leg) => (leg?.status === 'rejected' ? [leg.reason as unknown] : []));
  const callersOwn = failures.find(isCallersOwn);
  if (callersOwn) throw callersOwn;
  const asked = [dense, lexical].filter((leg) => leg !== undefined).length;
  if (failures.length === asked) throw failures[0];
  return {
    dense: pointsOf(dense),
    lexical: pointsOf(lexical),
    missing: failures.length === 0 ? null : dense?.status === 'rejected' ? 'dense' : 'lexical',
  };
}

/** Failures that no other leg can make up for: the request itself is wrong, or nobody waits for it any more. */
export function isCallersOwn(error: unknown): boolean {
  return isRagmeshError(error) && error.retry === 'permanent' && /^(FILTER|REQUEST|COLLECTION)\./.test(error.code);
}

function pointsOf(leg: LegOutcome): readonly ScoredPoint[] {
  return leg?.status === 'fulfilled' ? leg.value : [];
}
