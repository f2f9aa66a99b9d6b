import { histogram } from '@ragmesh/observability';

/** Stages of a search; each is in every answer's timings, 0 when it was not needed. */
const searchStages = ['embed_query', 'vector_search', 'lexical_search', 'fuse', 'rerank'] as const;

export type Stage = (typeof searchStages)[number] | 'rewrite' | 'condense' | 'self_check' | 'expand' | 'llm' | 'total';

/** Milliseconds by stage of one request, from its construction on. */
export class StageTimings {
  readonly #started = performance.now();
  readonly #milliseconds = new Map<Stage, number>(searchStages.map((stage) => [stage, 0]));

  async measure<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.note(stage, performance.now() - started);
    }
  }

  measureSync<T>(stage: Stage, work: () => T): T {
    const started = performance.now();
    const result = work();
    this.note(stage, performance.now() - started);
    return result;
  }

  note(stage: Stage, milliseconds: number): void {
    this.#milliseconds.set(stage, milliseconds);
    histogram('ragmesh_stage_duration_seconds').observe({ stage }, milliseconds / 1000);
  }

  get elapsedMs(): number {
    return performance.now() - this.#started;
  }

  /** `embed_query_ms` and so on, with `total_ms` up to now; rounded to microseconds. */
  report(): Record<string, number> {
    const stages = [...this.#milliseconds, ['total', this.elapsedMs] as const];
    return Object.fromEntries(stages.map(([stage, ms]) => [`${stage}_ms`, Math.round(ms * 1000) / 1000]));
  }
}
