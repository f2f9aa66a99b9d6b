import { RagmeshError } from '@ragmesh/errors';
import { EVERYTHING } from '@ragmesh/observability';
import type { Database, SqlRunner } from '@ragmesh/postgres';
import { B, K1, numberedQuery } from '../../domain/sparse-bm25.js';
import type { HybridHits, IndexedChunk, SearchHit } from '../embedded-index/indexed-point.js';
import type { Principals, Scope, SearchOptions } from '../vector-store.js';
import { chunkColumns, chunkOf, isReadable, isVisible, readerOf, type ChunkRow } from '../visible-rows.js';
import { CollectionMeasures, type Measure } from './collection-measures.js';
import { filterSql } from './pgvector-filter.js';
import { signed } from './pgvector-rows.js';

type HitRow = ChunkRow & { readonly score: number };
type WordHitRow = HitRow & { readonly measure: Measure };

interface WordHits {
  readonly hits: SearchHit[];
  /** What they were weighed by; undefined when there is none. */
  readonly measure: Measure | undefined;
}

/** Joins a search row to its chunk; `$1` and `$2` are tenant and collection. */
const chunk = `
  JOIN point p USING (tenant, collection, document_id, version, ordinal, generation) ${isVisible}`;

const SHOWN = `
  coalesce((SELECT generation FROM index_generation WHERE tenant = $1 AND collection = $2 AND live), 0)`;

const MAX_EF_SEARCH = 1_000;

/** Which points a leg may return. */
interface Choice extends SearchOptions {
  /** Only these. */
  readonly among?: readonly string[];
}

/** A search by words, and what it weighs them by. */
interface WordChoice extends Choice {
  /** Left out: what the collection has now. */
  readonly measure?: Measure | undefined;
}

/** How the nearest are looked for. */
interface Way {
  readonly runner: SqlRunner;
  readonly exactly: boolean;
}

/** Searches in PostgreSQL. One statement reads search rows, chunks and visible versions, so each is a snapshot. */
export class PgvectorSearch {
  /** @param generation SQL of the one that is searched: that which readers see. */
  constructor(
    private readonly database: Database,
    private readonly generation: string = SHOWN,
    private readonly measures = new CollectionMeasures(),
  ) {}

  /** The same searches in another generation. */
  in(generation: number): PgvectorSearch {
    return new PgvectorSearch(this.database, String(Math.trunc(generation)), this.measures);
  }

  /**
   * By an HNSW index, which goes on looking while points do not pass, up to a limit of its own. What comes back short is
   * therefore asked for again, exactly: a small tenant in a large table must not go without.
   */
  async dense(scope: Scope, vector: Float32Array, choice: Choice, runner?: SqlRunner): Promise<SearchHit[]> {
    if (!runner) return this.inSnapshot(choice.topK, (own) => this.dense(scope, vector, choice, own));
    let hits = choice.among ? [] : await this.nearest(scope, vector, choice, { runner, exactly: false });
    if (hits.length < choice.topK) hits = await this.nearest(scope, vector, choice, { runner, exactly: true });
    if (hits.length === 0) await this.checkLength(scope, vector.length, runner);
    return hits;
  }

  private async nearest(
    scope: Scope,
    vector: Float32Array,
    choice: Choice,
    { runner, exactly }: Way,
  ): Promise<SearchHit[]> {
    const parameters = new Parameters(scope.tenant, scope.collection);
    const length = vector.length;
    const query = `${parameters.add(`[${vector.join()}]`)}::vector(${length})`;
    const distance = `(s.embedding::vector(${length}) <=> ${query})`; // the index serves exactly this expression
    const sql = `
      SELECT ${chunkColumns}, 1 - ${distance} AS score
      FROM point_search s ${chunk}
      WHERE s.tenant = $1 AND s.collection = $2 AND s.generation = ${this.generation} AND s.dimension = ${length}
        ${conditions(choice, parameters)}
      ORDER BY ${distance}${exactly ? ' + 0' : ''} LIMIT ${parameters.add(choice.topK)}`;
    return hitsOf((await runner.query<HitRow>(sql, parameters.values)).rows);
  }

  /**
   * BM25 as the embedded index computes it, over the lists of term numbers. Statistics count staged points, too; those of a
   * large collection may be of half a minute ago.
   */
  async lexical(scope: Scope, text: string, choice: Choice, runner: SqlRunner = this.database): Promise<SearchHit[]> {
    return (await this.byWords(scope, text, choice, runner)).hits;
  }

  private async byWords(scope: Scope, text: string, choice: Choice, runner: SqlRunner): Promise<WordHits> {
    const name = JSON.stringify([scope.tenant, scope.collection, this.generation]);
    const measure = this.measures.find(name);
    const found = await this.weighed(scope, text, { ...choice, measure }, runner);
    // Readers may have been changed over to another generation since.
    if (measure !== undefined && (found.measure ?? measure).generation === measure.generation) return found;
    const exact = measure === undefined ? found : await this.weighed(scope, text, choice, runner);
    if (exact.measure) this.measures.note(name, exact.measure);
    return exact;
  }

  private async weighed(scope: Scope, text: string, choice: WordChoice, runner: SqlRunner): Promise<WordHits> {
    const terms = numberedQuery([scope.tenant, scope.collection], text);
    if (terms.indices.length === 0) return { hits: [], measure: undefined };
    const parameters = new Parameters(scope.tenant, scope.collection);
    const wanted = `${parameters.add(terms.indices.map(signed))}::int[]`;
    const occurrences = `${parameters.add(terms.values)}::float8[]`;
    const sql = `
      WITH held AS (${this.held(choice.measure, parameters)}),
      found AS (
        SELECT s.*, t.id, t.frequency FROM point_search s, unnest(s.term_ids, s.frequencies) AS t(id, frequency)
        WHERE s.term_ids && ${wanted} AND s.tenant = $1 AND s.collection = $2 AND s.generation = ${this.generation}
          AND t.id = ANY(${wanted})),
      weights AS (
        SELECT id, q.occurrences * ln(1 + (greatest(held.points, df) - df + 0.5) / (df + 0.5)) * ${K1 + 1} AS weight
        FROM (SELECT id, count(*)::float8 AS df FROM found GROUP BY id) AS f
        JOIN unnest(${wanted}, ${occurrences}) AS q(id, occurrences) USING (id), held),
      scored AS (
        SELECT tenant, collection, document_id, version, ordinal, generation, point_id,
          sum(weight * frequency / (frequency + ${K1} * (${1 - B} + ${B} * length / average))) AS score
        FROM found JOIN weights USING (id), held GROUP BY 1, 2, 3, 4, 5, 6, 7)
      SELECT ${chunkColumns}, score,
        jsonb_build_object('generation', p.generation, 'points', held.points, 'average', held.average) AS measure
      FROM scored s ${chunk} CROSS JOIN held
      WHERE true ${conditions(choice, parameters)}
      ORDER BY score DESC, p.point_id LIMIT ${parameters.add(choice.topK)}`;
    const { rows } = await runner.query<WordHitRow>(sql, parameters.values);
    return { hits: hitsOf(rows.map(({ measure: _, ...row }) => row)), measure: rows[0]?.measure };
  }

  private held(measure: Measure | undefined, parameters: Parameters): string {
    if (measure)
      return `SELECT ${parameters.add(measure.points)}::int8 AS points, ${parameters.add(measure.average)}::float8 AS average`;
    return `
      SELECT count(*) AS points, avg(length)::float8 AS average FROM point_search
      WHERE tenant = $1 AND collection = $2 AND generation = ${this.generation}`;
  }

  hybrid(scope: Scope, vector: Float32Array, text: string, options: SearchOptions): Promise<HybridHits> {
    return this.inSnapshot(options.topK, async (runner) => {
      const begin = performance.now();
      const { hits: lexical, measure } = await this.byWords(scope, text, options, runner);
      const between = performance.now();
      const dense = await this.dense(scope, vector, options, runner);
      const found = new Map([...lexical, ...dense].map((hit) => [hit.pointId, hit]));
      const both = { topK: found.size, among: [...found.keys()], principals: [EVERYTHING] };
      // What the words did not find among all they do not find among these.
      const words =
        lexical.length > 0 ? await this.weighed(scope, text, { ...both, measure }, runner) : { hits: lexical };
      const lexicalScores = scoresOf(words.hits);
      const denseScores = scoresOf(found.size > 0 ? await this.dense(scope, vector, both, runner) : []);
      const hits = [...found.values()].map(({ pointId, documentId, version }) => {
        const scores = { dense: denseScores.get(pointId), lexical: lexicalScores.get(pointId) ?? 0 };
        return { pointId, documentId, version, ...scores };
      });
      return { hits, lexicalMs: between - begin, denseMs: performance.now() - between };
    });
  }

  async chunks(
    { tenant, collection }: Scope,
    pointIds: readonly string[],
    principals: Principals = [],
  ): Promise<IndexedChunk[]> {
    const sql = `
      SELECT ${chunkColumns} FROM point_search s ${chunk}
      WHERE s.point_id = ANY($3::uuid[]) AND s.tenant = $1 AND s.collection = $2 AND s.generation = ${this.generation}
        AND ${isReadable('$4')}`;
    const values = [tenant, collection, pointIds, readerOf(principals)];
    const { rows } = await this.database.query<ChunkRow>(sql, values);
    const byId = new Map(rows.map((row) => [row.pointId, chunkOf(row)]));
    return pointIds.flatMap((pointId) => byId.get(pointId) ?? []);
  }

  /** Several statements that see the same rows, with the index set to find at least `topK`. */
  private inSnapshot<T>(topK: number, work: (runner: SqlRunner) => Promise<T>): Promise<T> {
    return this.database.transaction((tx) => {
      tx.write('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const expansion = String(Math.min(MAX_EF_SEARCH, Math.max(100, topK * 2)));
      tx.write(
        `SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', $1, true)`,
        [expansion],
      );
      return work(tx);
    });
  }

  private async checkLength({ tenant, collection }: Scope, actual: number, runner: SqlRunner): Promise<void> {
    const sql = `SELECT dimension FROM point_search WHERE tenant = $1 AND collection = $2 AND generation = ${this.generation} LIMIT 1`;
    const { rows } = await runner.query<{ dimension: number }>(sql, [tenant, collection]);
    const expected = rows[0]?.dimension;
    if (expected === undefined || expected === actual) return;
    const message = `The index holds vectors of ${expected} numbers, this one has ${actual}.`;
    throw new RagmeshError('VECTOR.DIMENSION_MISMATCH', message, { expected, actual });
  }
}

/** The values of a statement in the order of their places. */
class Parameters {
  readonly values: unknown[];

  constructor(...first: unknown[]) {
    this.values = first;
  }

  readonly add = (value: unknown): string => `$${this.values.push(value)}`;
}

function conditions({ filter, among, principals = [] }: Choice, parameters: Parameters): string {
  const reader = readerOf(principals);
  const readable = reader === null ? '' : `AND ${isReadable(parameters.add(reader))}`;
  const passes = filter ? `${readable} AND ${filterSql(filter, parameters.add)}` : readable;
  return among ? `${passes} AND s.point_id = ANY(${parameters.add(among)}::uuid[])` : passes;
}

const hitsOf = (rows: readonly HitRow[]): SearchHit[] => rows.map((row) => chunkOf(row));

const scoresOf = (hits: readonly SearchHit[]): Map<string, number> =>
  new Map(hits.map(({ pointId, score }) => [pointId, score]));
