/**
 * Min-max normalisation: the lowest score becomes 0, the highest 1. Where all are equal (one result, or a constant leg)
 * there is nothing to tell them apart, so each counts as found: 1.
 */
export function minMax(scores: readonly number[]): number[] {
  let low = Infinity;
  let high = -Infinity;
  for (const score of scores) {
    if (score < low) low = score;
    if (score > high) high = score;
  }
  const range = high - low;
  return scores.map((score) => (range > 0 ? (score - low) / range : 1));
}

/** As {@link minMax} for scores of words, whose 0 means something: where nothing has a word of the question, nothing was found. */
export const minMaxOfWords = (scores: readonly number[]): number[] =>
  scores.some((score) => score > 0) ? minMax(scores) : scores.map(() => 0);
