import type { FusedPoint, ScoredPoint } from './scored-point.js';

/** Which chunks of a document version to fetch beside the ones found. */
export interface NeighbourRequest {
  readonly documentId: string;
  readonly version: number;
  /** Ascending, without those already found. */
  readonly ordinals: readonly number[];
  /** One of those found: chunks of another generation of the index are not its neighbours. */
  readonly pointId: string;
}

/** How many chunks before and after each result are of interest. */
export interface Reach {
  readonly before: number;
  readonly after: number;
}

/** The chunks around each result, one request per document, nothing fetched twice. */
export function chunksAround(points: readonly ScoredPoint[], reach: Reach): NeighbourRequest[] {
  return [...groupByVersion(points).values()]
    .map((group) => {
      const { documentId, version, pointId } = group[0]!;
      return { documentId, version, pointId, ordinals: around(group, reach) };
    })
    .filter(({ ordinals }) => ordinals.length > 0);
}

function around(group: readonly ScoredPoint[], { before, after }: Reach): number[] {
  const found = new Set(group.map(({ ordinal }) => ordinal));
  const wanted = new Set<number>();
  for (const { ordinal } of group) {
    for (let near = Math.max(0, ordinal - before); near <= ordinal + after; near++) {
      if (!found.has(near)) wanted.add(near);
    }
  }
  return [...wanted].sort((a, b) => a - b);
}

export const versionKey = ({ documentId, version }: Pick<ScoredPoint, 'documentId' | 'version'>): string =>
  JSON.stringify([documentId, version]);

export const groupByVersion = <P extends ScoredPoint>(points: readonly P[]): Map<string, P[]> =>
  Map.groupBy(points, versionKey);

/** Whether two consecutive chunks leave no gap, so that their texts together are a slice of the document. */
export const touches = (earlier: ScoredPoint, later: ScoredPoint): boolean =>
  later.ordinal === earlier.ordinal + 1 && later.start >= earlier.start && later.start <= earlier.end;

/** A run of touching chunks, in reading order, as one result in the place of its best member. */
export function asOne(best: FusedPoint, run: readonly ScoredPoint[]): FusedPoint {
  return { ...best, text: joinText(run), start: run[0]!.start, end: Math.max(...run.map(({ end }) => end)) };
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
