import { asOne, chunksAround, groupByVersion, touches, versionKey, type NeighbourRequest } from './chunk-run.js';
import type { FusedPoint, ScoredPoint } from './scored-point.js';

/** Chunks on either side that belong to a result whatever they are about. */
const RADIUS = 1;
/** How far back the heading of a result is looked for. */
const HEADING_REACH = 3;

/** What {@link expand} wants to see beside the results. */
export const neighboursOf = (points: readonly ScoredPoint[]): NeighbourRequest[] =>
  chunksAround(points, { before: HEADING_REACH, after: RADIUS });

/**
 * Results widened by their neighbours, and back to the heading they stand under when it is near: chunks of a document version
 * with consecutive ordinals become one result with their joined text and the range it spans. It takes the place, id, score,
 * page and heading of its best member, so the order stays. No chunk is in two results. Chunks are joined only where their
 * ranges touch or overlap, because a quote must be a slice of the document; a neighbour behind a gap is left out.
 */
export function expand(points: readonly FusedPoint[], neighbours: readonly ScoredPoint[]): FusedPoint[] {
  const fetched = groupByVersion(neighbours);
  const found = groupByVersion(points);
  const results = new Map<FusedPoint, ReadonlySet<ScoredPoint>>();
  for (const point of points) {
    const key = versionKey(point);
    let run = new Set(touchingRun(point, found.get(key)!, fetched.get(key) ?? []));
    const sharing = [...results].filter(([, chunks]) => !chunks.isDisjointFrom(run));
    const best = sharing[0]?.[0] ?? point;
    for (const [other, chunks] of sharing) {
      run = run.union(chunks);
      if (other !== best) results.delete(other);
    }
    results.set(best, run);
  }
  return [...results].map(([best, chunks]) => asOne(best, inReadingOrder(chunks)));
}

const inReadingOrder = (chunks: ReadonlySet<ScoredPoint>): ScoredPoint[] =>
  [...chunks].sort((a, b) => a.ordinal - b.ordinal);

/** The unbroken run of chunks around `point`, in reading order. */
function touchingRun(
  point: ScoredPoint,
  found: readonly ScoredPoint[],
  fetched: readonly ScoredPoint[],
): ScoredPoint[] {
  const near = new Set(found.flatMap(({ ordinal }) => [ordinal - RADIUS, ordinal, ordinal + RADIUS]));
  const byOrdinal = new Map([...fetched, ...found].map((chunk) => [chunk.ordinal, chunk]));
  const belongs = (chunk: ScoredPoint, next: ScoredPoint): boolean =>
    near.has(chunk.ordinal) || (chunk.heading !== null && chunk.heading === next.heading);
  const run = [point];
  for (let before = byOrdinal.get(point.ordinal - 1); before; before = byOrdinal.get(before.ordinal - 1)) {
    if (!touches(before, run[0]!) || !belongs(before, run[0]!)) break;
    run.unshift(before);
  }
  for (let after = byOrdinal.get(point.ordinal + 1); after; after = byOrdinal.get(after.ordinal + 1)) {
    if (!touches(run.at(-1)!, after) || !near.has(after.ordinal)) break;
    run.push(after);
  }
  return run;
}
