import { RRF_K } from './fusion.js';
import { byScore, type FusedPoint } from './scored-point.js';
import { keepOneVersionAcross } from './version-consistency.js';

/**
 * One list out of those that several wordings of a question found, by reciprocal ranks. A score is the share of the best that
 * could be reached, being first for every wording, so it lies in 0..1. A point keeps what the legs gave it for the earliest
 * wording that found it, and one version of each document stays.
 */
export function fuseLists(lists: readonly (readonly FusedPoint[])[]): readonly FusedPoint[] {
  if (lists.length === 1) return lists[0]!;
  const fused = new Map<string, FusedPoint>();
  const best = lists.length / (RRF_K + 1);
  for (const list of keepOneVersionAcross(lists)) {
    list.forEach((point, rank) => {
      const share = 1 / (RRF_K + rank + 1) / best;
      const known = fused.get(point.pointId);
      fused.set(
        point.pointId,
        known ? { ...readOne(known, point), score: known.score + share } : { ...point, score: share },
      );
    });
  }
  return [...fused.values()].sort(byScore);
}

/** The one whose text is known already, with the leg scores of the first. */
function readOne(first: FusedPoint, second: FusedPoint): FusedPoint {
  return first.text === '' && second.text !== '' ? { ...second, dense: first.dense, lexical: first.lexical } : first;
}
