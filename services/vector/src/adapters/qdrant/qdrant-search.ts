import { EVERYTHING, counter, type Logger } from '@ragmesh/observability';
import { compareHits } from '../../domain/hit-order.js';
import { evaluateFilter } from '../../domain/metadata-filter.js';
import type { HybridHits, IndexedChunk, SearchHit } from '../embedded-index/indexed-point.js';
import type { DocumentHit, Principals, Question, Scope, SearchOptions } from '../vector-store.js';
import type { VisibleRows } from '../visible-rows.js';
import { compileFilter } from './qdrant-filter.js';
import type { FoundPoint } from './qdrant-point.js';
import type { LegQuery, QdrantPoints } from './qdrant-points.js';

/** Asked for beyond `topK`, so that points of a version that just gave way do not cost a second question. */
const SPARE = 8;
const MORE = 4;
/** Points the rows do not confirm are rare; a filter that Qdrant cannot express may need many more. */
const MAX_LIMIT = 16_384;
/** As many as it takes to get there from the least `topK`. */
const MAX_QUESTIONS = 7;
const MAX_ATTEMPTS = 3;

interface Leg {
  readonly name: 'dense' | 'lexical';
  readonly ask: (query: LegQuery) => Promise<FoundPoint[]>;
}

interface Timed<T> {
  readonly value: T;
  readonly milliseconds: number;
}

/**
 * Searches in Qdrant that return what the rows confirm. Qdrant may have two versions of a document visible for a moment;
 * the rows are read after it and show one, so an answer never mixes versions, and what they refuse is asked for again.
 */
export class QdrantSearch {
  constructor(
    private readonly points: QdrantPoints,
    private readonly rows: VisibleRows,
    private readonly logger: Logger,
  ) {}

  dense(scope: Scope, vector: Float32Array, options: SearchOptions): Promise<SearchHit[]> {
    return this.confirmed(scope, options, { name: 'dense', ask: (query) => this.points.dense(scope, vector, query) });
  }

  lexical(scope: Scope, text: string, options: SearchOptions): Promise<SearchHit[]> {
    return this.confirmed(scope, options, { name: 'lexical', ask: (query) => this.points.lexical(scope, text, query) });
  }

  /**
   * Two questions at once, then what one leg found is scored by the other. Each question goes to the generation that is shown
   * when it arrives; where readers were changed over in between, all are asked again.
   */
  async hybrid(scope: Scope, vector: Float32Array, text: string, options: SearchOptions): Promise<HybridHits> {
    for (let attempt = 1; ; attempt += 1) {
      const { isTorn, ...hits } = await this.bothLegs(scope, vector, text, options);
      if (!isTorn || attempt === MAX_ATTEMPTS) return hits;
    }
  }

  /** @returns `isTorn` when nothing that a leg found was there any more for it to score. */
  private async bothLegs(
    scope: Scope,
    vector: Float32Array,
    text: string,
    options: SearchOptions,
  ): Promise<HybridHits & { readonly isTorn: boolean }> {
    const [lexical, dense] = await Promise.all([
      timed(() => this.lexical(scope, text, options)),
      timed(() => this.dense(scope, vector, options)),
    ]);
    const found = new Map([...lexical.value, ...dense.value].map((hit) => [hit.pointId, hit]));
    const rest = { limit: found.size, among: [...found.keys()], principals: [EVERYTHING] };
    const scored = await timed(async () =>
      found.size === 0
        ? []
        : Promise.all([this.points.lexical(scope, text, rest), this.points.dense(scope, vector, rest)]),
    );
    const [lexicalScores = new Map<string, number>(), denseScores = new Map<string, number>()] =
      scored.value.map(scoresOf);
    // A point is of one generation, so the other one does not know it.
    const isLost = (leg: readonly SearchHit[], scores: ReadonlyMap<string, number>): boolean =>
      leg.length > 0 && !leg.some(({ pointId }) => scores.has(pointId));
    const isTorn = isLost(lexical.value, lexicalScores) || isLost(dense.value, denseScores);
    const hits = [...found.values()].flatMap(({ pointId, documentId, version }) => {
      const scores = { dense: denseScores.get(pointId), lexical: lexicalScores.get(pointId) ?? 0 };
      return scores.dense === undefined && scores.lexical === 0 ? [] : [{ pointId, documentId, version, ...scores }];
    });
    const denseMs = dense.milliseconds + scored.milliseconds;
    return { hits, denseMs, lexicalMs: lexical.milliseconds, isTorn };
  }

  /** What either leg finds in one collection of Qdrant, whether readers see it or not; for comparing only. */
  async hybridIn(scope: Scope, name: string, { vector, text, topK }: Question): Promise<DocumentHit[]> {
    const leg = { limit: topK, name, principals: [EVERYTHING] };
    const [lexical, dense] = await Promise.all([
      this.points.lexical(scope, text, leg),
      this.points.dense(scope, vector, leg),
    ]);
    const [lexicalScores, denseScores] = [scoresOf(lexical), scoresOf(dense)];
    const found = new Map([...lexical, ...dense].map((point) => [point.pointId, point]));
    return [...found.values()].map(({ pointId, documentId }) => {
      return { pointId, documentId, dense: denseScores.get(pointId), lexical: lexicalScores.get(pointId) ?? 0 };
    });
  }

  async chunks(scope: Scope, pointIds: readonly string[], principals: Principals = []): Promise<IndexedChunk[]> {
    if (pointIds.length === 0) return [];
    const chunks = await this.rows.chunks(scope, await this.points.locate(scope, pointIds), principals);
    return pointIds.flatMap((pointId) => chunks.get(pointId) ?? []);
  }

  private async confirmed(
    scope: Scope,
    { topK, filter, principals = [] }: SearchOptions,
    { name, ask }: Leg,
  ): Promise<SearchHit[]> {
    const recheck = filter && !compileFilter(filter).exact ? filter : undefined;
    let confirmed: SearchHit[] = [];
    let looked = 0;
    let isCut = false;
    for (let question = 1, limit = topK + SPARE; question <= MAX_QUESTIONS; question++) {
      const found = await ask({ limit, filter, principals });
      const chunks = await this.rows.chunks(scope, found, principals);
      confirmed = found.flatMap(({ pointId, score }) => {
        const chunk = chunks.get(pointId);
        return chunk && (!recheck || evaluateFilter(recheck, chunk.metadata)) ? [{ ...chunk, score }] : [];
      });
      const refused = found.some(({ pointId }) => !chunks.has(pointId));
      const isAll = found.length < limit;
      looked = found.length;
      isCut = !isAll && confirmed.length < topK;
      if (confirmed.length >= topK || (isAll && !(refused && question < 3))) break;
      if (!isAll) limit = Math.min(limit * MORE, MAX_LIMIT);
      if (!isAll && found.length >= MAX_LIMIT) break;
    }
    if (isCut) this.tellCut(scope, name, looked);
    return confirmed.sort(compareHits).slice(0, topK);
  }

  /** Points that pass may be among those that were not looked at. */
  private tellCut({ collection }: Scope, leg: Leg['name'], points: number): void {
    counter('ragmesh_searches_cut_total').inc({ leg });
    this.logger.warn({ collection, leg, points }, 'A search gave up before it had all that pass its filter');
  }
}

const scoresOf = (points: readonly FoundPoint[]): Map<string, number> =>
  new Map(points.map(({ pointId, score }) => [pointId, score]));

async function timed<T>(work: () => Promise<T>): Promise<Timed<T>> {
  const begin = performance.now();
  const value = await work();
  return { value, milliseconds: performance.now() - begin };
}
