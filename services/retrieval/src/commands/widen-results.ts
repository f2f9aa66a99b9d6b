import { Injectable } from '@nestjs/common';
import { VectorIndex } from '../adapters/vector-index.js';
import type { NeighbourRequest } from '../domain/chunk-run.js';
import { expand, neighboursOf } from '../domain/expansion.js';
import type { FusedPoint, ScoredPoint } from '../domain/scored-point.js';
import { sectionChunksOf, toSections } from '../domain/sections.js';
import { OptionalStep } from './optional-step.js';
import type { SearchRun } from './search-run.js';

/** Shows results in their context: with their neighbours, or as the section they stand in, which holds those already. */
@Injectable()
export class WidenResults {
  constructor(
    private readonly index: VectorIndex,
    private readonly optional: OptionalStep,
  ) {}

  /** As they are when neither was asked for, and when what is around them cannot be read. */
  async widen(points: readonly FusedPoint[], run: SearchRun): Promise<readonly FusedPoint[]> {
    const { granularity, expand: wanted } = run.query;
    if (granularity === 'parent') {
      const chunks = await this.#read('parent', sectionChunksOf(points), run);
      return chunks ? toSections(points, chunks) : points;
    }
    if (!wanted) return points;
    const neighbours = await this.#read('expand', neighboursOf(points), run);
    return neighbours ? expand(points, neighbours) : points;
  }

  #read(step: string, wanted: readonly NeighbourRequest[], run: SearchRun): Promise<ScoredPoint[] | undefined> {
    const { query, scope, timings } = run;
    const requests = () => Promise.all(wanted.map((one) => this.index.neighbours(query.collection, one, scope)));
    return this.optional.attempt(step, run, async () => (await timings.measure('expand', requests)).flat());
  }
}
