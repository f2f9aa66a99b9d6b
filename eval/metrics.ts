/** Relevance of documents to one query: document id → score; 0 or absent means not relevant. */
export type Judgements = ReadonlyMap<string, number>;

/**
 * Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) at `k`, 0..1: gain = score, discount
 * `log2(rank + 1)` with rank from 1, ideal order taken from all judged documents. 0 where nothing is relevant.
 */
export function ndcgAt(k: number, ranked: readonly string[], judgements: Judgements): number {
  const ideal = discounted([...judgements.values()].sort((a, b) => b - a).slice(0, k));
  const gained = discounted(ranked.slice(0, k).map((id) => judgements.get(id) ?? 0));
  return ideal === 0 ? 0 : gained / ideal;
}

/** The mean of precision at every relevant document found, over all relevant documents, 0..1. */
export function averagePrecision(ranked: readonly string[], judgements: Judgements): number {
  let found = 0;
  let sum = 0;
  ranked.forEach((id, position) => {
    if ((judgements.get(id) ?? 0) <= 0) return;
    found += 1;
    sum += found / (position + 1);
  });
  const relevant = countRelevant(judgements);
  return relevant === 0 ? 0 : sum / relevant;
}

/** The share of relevant documents among the first `k`, 0..1. */
export function recallAt(k: number, ranked: readonly string[], judgements: Judgements): number {
  const relevant = countRelevant(judgements);
  const found = ranked.slice(0, k).filter((id) => (judgements.get(id) ?? 0) > 0).length;
  return relevant === 0 ? 0 : found / relevant;
}

function discounted(gains: readonly number[]): number {
  return gains.reduce((sum, gain, position) => sum + Math.max(0, gain) / Math.log2(position + 2), 0);
}

function countRelevant(judgements: Judgements): number {
  return [...judgements.values()].filter((score) => score > 0).length;
}
