import type { FusedPoint, ScoredPoint } from './scored-point.js';

/** Which chunks of a document version to fetch beside the ones found. */
export interface NeighbourRequest {
  readonly documentId: string;
  readonly version: number;
  /** Ascending, without those already found. */
  readonly ordinals: readonly number[];
}

/** The chunks up to `radius` before and after each result, one request per document, nothing fetched twice. */
export function neighboursOf(points: readonly ScoredPoint[], radius = 1): NeighbourRequest[] {
  return [...groupByVersion(points).values()]
    .map((group) => ({ documentId: group[0]!.documentId, version: group[0]!.version, ordinals: around(group, radius) }))
    .filter(({ ordinals }) => ordinals.length > 0);
}

/**
 * Results widened by their neighbours: chunks of a document version with consecutive ordinals become one result with
 * their joined text and the range it spans. It takes the place, id, score, page and heading of its best member, so the
 * order stays. Chunks are joined only where their ranges touch or overlap, because a quote must be a slice of the
 * document; a neighbour behind a gap is left out.
 */
export function expand(points: readonly FusedPoint[], neighbours: readonly ScoredPoint[]): FusedPoint[] {
  const fetched = groupByVersion(neighbours);
  const expanded: FusedPoint[] = [];
  const taken = new Set<string>();
  const found = groupByVersion(points);
  for (const point of points) {
    if (taken.has(point.pointId)) continue;
    const key = versionKey(point);
    const run = touchingRun(point, [...found.get(key)!, ...(fetched.get(key) ?? [])]);
    for (const member of run) taken.add(member.pointId);
    expanded.push({ ...point, text: joinText(run), start: run[0]!.start, end: Math.max(...run.map(({ end }) => end)) });
  }
  return expanded;
}

function around(group: readonly ScoredPoint[], radius: number): number[] {
  const found = new Set(group.map(({ ordinal }) => ordinal));
  const wanted = new Set<number>();
  for (const { ordinal } of group) {
    for (let near = Math.max(0, ordinal - radius); near <= ordinal + radius; near++) {
      if (!found.has(near)) wanted.add(near);
    }
  }
  return [...wanted].sort((a, b) => a - b);
}

function versionKey({ documentId, version }: Pick<ScoredPoint, 'documentId' | 'version'>): string {
  return JSON.stringify([documentId, version]);
}

function groupByVersion<P extends ScoredPoint>(points: readonly P[]): Map<string, P[]> {
  return Map.groupBy(points, versionKey);
}

/** The unbroken run of chunks around `point`, in reading order. */
function touchingRun(point: ScoredPoint, chunks: readonly ScoredPoint[]): ScoredPoint[] {
  const byOrdinal = new Map(chunks.map((chunk) => [chunk.ordinal, chunk]));
  const run = [point];
  for (let before = byOrdinal.get(point.ordinal - 1); before; before = byOrdinal.get(before.ordinal - 1)) {
    if (!touches(before, run[0]!)) break;
    run.unshift(before);
  }
  for (let after = byOrdinal.get(point.ordinal + 1); after; after = byOrdinal.get(after.ordinal + 1)) {
    if (!touches(run.at(-1)!, after)) break;
    run.push(after);
  }
  return run;
}

function touches(earlier: ScoredPoint, later: ScoredPoint): boolean {
  return later.start >= earlier.start && later.start <= earlier.end;
}

function joinText(run: readonly ScoredPoint[]): string {
  let text = '';
  let end = run[0]!.start;
  for (const chunk of run) {
    if (chunk.end <= end) continue;
    text += chunk.text.slice(end - chunk.start);
    end = chunk.end;
  }
  return text;
}
