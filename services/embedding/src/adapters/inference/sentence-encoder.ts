import type { Encoder } from './encoder.js';
import type { LoadableModel, TokenModel } from './token-model.js';

/** Sentence vectors of a BERT-like model: token vectors averaged over the text's own tokens, then L2-normalised. */
export function encoderOf(tokens: TokenModel, { maxTokens, pooling }: LoadableModel): Encoder {
  return {
    /** The closing special token is kept. */
    tokenize(text) {
      const ids = tokens.idsOf(text);
      return ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - 1), ids.at(-1)!];
    },
    async encode(batch) {
      const { last_hidden_state: hidden } = await tokens.run(batch);
      if (!hidden) throw new Error('The model has no output named last_hidden_state.');
      const [, length, width] = hidden.dims as [number, number, number];
      const states = hidden.data as Float32Array;
      const counted = (row: readonly number[]): number => (pooling === 'cls' ? 1 : row.length);
      return batch.map((row, at) => meanPooled(states.subarray(at * length * width), counted(row), width));
    },
  };
}

/** Mean of the first `count` rows of `states` (row-major, `width` columns), scaled to length 1. */
function meanPooled(states: Float32Array, count: number, width: number): Float32Array {
  const sum = new Float32Array(width);
  for (let start = 0; start < count * width; start += width) {
    for (let column = 0; column < width; column++) sum[column]! += states[start + column]!;
  }
  let squares = 0;
  for (const value of sum) squares += value * value;
  const norm = Math.sqrt(squares);
  if (!Number.isFinite(norm) || norm === 0) return sum.fill(NaN);
  for (let column = 0; column < width; column++) sum[column]! /= norm;
  return sum;
}
