import type { Legs } from './fusion.js';
import { ranked } from './joiner.js';
import { reaches, type LeastScore } from './min-score.js';
import type { FusedPoint, ScoredPoint } from './scored-point.js';
import type { SearchQuery } from './search-query.js';

/** Why a candidate is no result. */
export type DropReason = 'version' | 'min_score' | 'mmr' | 'self_check' | 'merged' | 'top_k';

export interface Dropped {
  /** That readers know; where its text was not read, the index's own, see {@link unreadIn}. */
  readonly id: string;
  readonly pointId: string;
  readonly documentId: string;
  readonly version: number;
  readonly score: number;
  readonly reason: DropReason;
}

/**
 * How one result came to its place. Ranks count from 1, for the earliest wording of the question that found it; null where a leg or
 * a step did not have it.
 */
export interface PlaceReason {
  readonly denseRank: number | null;
  readonly lexicalRank: number | null;
  /** After fusion, before reranking. */
  readonly fusedScore: number | null;
  readonly rerankScore: number | null;
}

export interface Explanation {
  /** By point id. */
  readonly places: Readonly<Record<string, PlaceReason>>;
  /** Best first. */
  readonly dropped: readonly Dropped[];
}

/** What the steps of a search left, noted while it was made. Each list is best first. */
export interface SearchSteps {
  /** Of each wording, the question as it was asked first. */
  readonly legs: readonly Legs[];
  readonly fused: readonly FusedPoint[];
  /** After reranking; undefined when it was not asked for or failed. */
  readonly reranked: readonly FusedPoint[] | undefined;
  /** What a result's score must reach, and how. */
  readonly least: LeastScore;
  /** After `min_score`, MMR and `top_k`. */
  readonly cut: readonly FusedPoint[];
  /** What the self-check let through. */
  readonly supported: readonly FusedPoint[];
  readonly results: readonly FusedPoint[];
}

/** Dropped candidates told of; those behind them lost to more than this many others. */
const MAX_DROPPED = 100;

/** Says of each result how it came to its place and of each other candidate why it has none. */
export function explain(steps: SearchSteps, query: Pick<SearchQuery, 'mmr' | 'topK'>): Explanation {
  const wordings = steps.legs.map(ranksIn);
  const fusedScore = scoresOf(steps.fused);
  const rerankScore = scoresOf(steps.reranked ?? []);
  const places = steps.results.map(({ pointId }): [string, PlaceReason] => {
    const earliest = wordings.find(({ found }) => found.has(pointId));
    return [
      pointId,
      {
        denseRank: earliest?.dense.get(pointId) ?? null,
        lexicalRank: earliest?.lexical.get(pointId) ?? null,
        fusedScore: fusedScore.get(pointId) ?? null,
        rerankScore: rerankScore.get(pointId) ?? null,
      },
    ];
  });
  return { places: Object.fromEntries(places), dropped: droppedFrom(steps, query).slice(0, MAX_DROPPED) };
}

/** Points of dropped candidates of which the index's own id is all that is known. */
export const unreadIn = ({ dropped }: Explanation): string[] =>
  dropped.flatMap(({ id, pointId }) => (id === pointId ? [pointId] : []));

/** The same with the ids that readers know, as far as there are any: what was taken back meanwhile has none. */
export const named = (explanation: Explanation, ids: ReadonlyMap<string, string>): Explanation => ({
  ...explanation,
  dropped: explanation.dropped.map((one) => ({ ...one, id: ids.get(one.pointId) ?? one.id })),
});

function droppedFrom(steps: SearchSteps, { mmr, topK }: Parameters<typeof explain>[1]): Dropped[] {
  const [cut, supported, results] = [steps.cut, steps.supported, steps.results].map(idsOf) as [Ids, Ids, Ids];
  const last = steps.reranked ?? steps.fused;
  const reasonOf = (point: FusedPoint, rank: number): DropReason => {
    if (supported.has(point.pointId)) return 'merged';
    if (cut.has(point.pointId)) return 'self_check';
    if (!reaches(point, steps.least)) return 'min_score';
    return mmr !== undefined && rank < topK ? 'mmr' : 'top_k';
  };
  const candidates = [...last, ...without(steps.fused, idsOf(last))];
  const beaten = candidates.flatMap((point, rank) =>
    results.has(point.pointId) ? [] : [dropped(point, reasonOf(point, rank))],
  );
  const fused = idsOf(steps.fused);
  const found = steps.legs.flatMap(({ dense, lexical }) => [...dense, ...lexical]);
  const superseded = new Map(without(found, fused).map((one) => [one.pointId, one]));
  return [...[...superseded.values()].map((point) => dropped(point, 'version')), ...beaten];
}

/** What one wording found, and at which rank in each leg. */
function ranksIn(legs: Legs) {
  const { dense, lexical } = ranked(legs);
  return { found: idsOf([...legs.dense, ...legs.lexical]), dense: ranksOf(dense), lexical: ranksOf(lexical) };
}

type Ids = ReadonlySet<string>;

const idsOf = (points: readonly ScoredPoint[]): Ids => new Set(points.map(({ pointId }) => pointId));
const without = <P extends ScoredPoint>(points: readonly P[], ids: Ids): P[] =>
  points.filter(({ pointId }) => !ids.has(pointId));
const ranksOf = (points: readonly ScoredPoint[]) => new Map(points.map(({ pointId }, at) => [pointId, at + 1]));
const scoresOf = (points: readonly ScoredPoint[]) => new Map(points.map(({ pointId, score }) => [pointId, score]));

const dropped = ({ pointId, chunkId, documentId, version, score }: ScoredPoint, reason: DropReason): Dropped => ({
  id: chunkId || pointId,
  pointId,
  documentId,
  version,
  score,
  reason,
});
