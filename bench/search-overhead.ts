import { timedJson } from './load/timed-request.js';
import { quantile } from './quantile.js';
import type { SearchAnswer } from './requests.js';

const WARM_UP = 20;

export interface OverheadResult {
  readonly wallP50: number;
  readonly stagesP50: number;
  readonly overheadP50: number;
  readonly overheadP99: number;
}

/**
 * S2: time of a hybrid search as its caller sees it, minus embedding the question and the slower of the two legs that run
 * beside it, as the answer's own timings give them. What is left is HTTP, hops, fusion and reading the answer.
 */
export async function measureSearchOverhead(
  url: string,
  collection: string,
  questions: readonly string[],
): Promise<OverheadResult> {
  const walls: number[] = [];
  const stages: number[] = [];
  for (const [index, query] of questions.entries()) {
    const request = { query, collection, top_k: 10 };
    const { answer, milliseconds: wall } = await timedJson<SearchAnswer>(`${url}/v1/search`, request);
    if (index < WARM_UP) continue;
    const { embed_query_ms: embed = 0, vector_search_ms: dense = 0, lexical_search_ms: lexical = 0 } = answer.timings;
    walls.push(wall);
    stages.push(Math.max(embed + dense, lexical));
  }
  const overheads = walls.map((wall, index) => wall - stages[index]!);
  return {
    wallP50: quantile(walls, 0.5),
    stagesP50: quantile(stages, 0.5),
    overheadP50: quantile(overheads, 0.5),
    overheadP99: quantile(overheads, 0.99),
  };
}
