import { asOne, chunksAround, groupByVersion, touches, versionKey, type NeighbourRequest } from './chunk-run.js';
import type { FusedPoint, ScoredPoint } from './scored-point.js';

/** Chunks on either side in which the section of a hit is looked for. */
const SECTION_REACH = 12;
/** Longest section given, in UTF-16 units; beyond it what is nearest to the hit is kept, in whole chunks. */
export const MAX_SECTION_LENGTH = 8_000;

/** What {@link toSections} wants to see beside the results. */
export const sectionChunksOf = (points: readonly ScoredPoint[]): NeighbourRequest[] =>
  chunksAround(points, { before: SECTION_REACH, after: SECTION_REACH });

/**
 * Each result as the section it stands in: the touching chunks with its heading, up to {@link MAX_SECTION_LENGTH}. Hits of one
 * section become one result in the place of the best of them. No chunk is in two results.
 */
export function toSections(points: readonly FusedPoint[], neighbours: readonly ScoredPoint[]): FusedPoint[] {
  const known = groupByVersion([...neighbours, ...points]);
  const taken = new Set<string>();
  const sections: FusedPoint[] = [];
  for (const point of points) {
    if (taken.has(point.pointId)) continue;
    const section = known.get(versionKey(point))!;
    const free = section.filter(({ heading, pointId }) => heading === point.heading && !taken.has(pointId));
    const run = grow(point, new Map(free.map((chunk) => [chunk.ordinal, chunk])));
    for (const { pointId } of run) taken.add(pointId);
    sections.push(asOne(point, run));
  }
  return sections;
}

/** Adds chunks after and before in turn, until both sides end or the next would be too much. */
function grow(point: ScoredPoint, chunks: ReadonlyMap<number, ScoredPoint>): ScoredPoint[] {
  let run: readonly ScoredPoint[] = [point];
  for (let grew = true; grew;) {
    grew = false;
    for (const side of [after, before]) {
      const longer = side(run, chunks);
      if (!longer || lengthOf(longer) > MAX_SECTION_LENGTH) continue;
      run = longer;
      grew = true;
    }
  }
  return [...run];
}

type Side = (run: readonly ScoredPoint[], chunks: ReadonlyMap<number, ScoredPoint>) => ScoredPoint[] | undefined;

const after: Side = (run, chunks) => {
  const last = run.at(-1)!;
  const next = chunks.get(last.ordinal + 1);
  return next && touches(last, next) ? [...run, next] : undefined;
};

const before: Side = ([first, ...rest], chunks) => {
  const previous = chunks.get(first!.ordinal - 1);
  return previous && touches(previous, first!) ? [previous, first!, ...rest] : undefined;
};

const lengthOf = (run: readonly ScoredPoint[]): number => Math.max(...run.map(({ end }) => end)) - run[0]!.start;
