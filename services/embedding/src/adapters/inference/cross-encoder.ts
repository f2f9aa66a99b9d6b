import type { Encoder } from './encoder.js';
import type { LoadableModel, TokenModel } from './token-model.js';

/** Stands between question and passage in the one text they travel as; neither may contain it. */
const SEPARATOR = '\0';

/** Most of the model's tokens that the question may take; the passage has the rest. */
const QUESTION_SHARE = 0.5;

/**
 * Scores of question and passage read together (cross-encoder, Nogueira and Cho 2019): the sigmoid of the model's one
 * logit, from 0 to 1. A text is the question, a NUL and the passage.
 */
export function encoderOf(tokens: TokenModel, { maxTokens }: LoadableModel): Encoder {
  /** `[CLS] question [SEP] passage [SEP]`, cut within each part, so that both are always read. */
  function tokenize(text: string): number[] {
    const at = text.indexOf(SEPARATOR);
    const [start, ...question] = tokens.idsOf(text.slice(0, at)).slice(0, -1) as [number, ...number[]];
    const passage = tokens.idsOf(text.slice(at + 1)).slice(1);
    const separator = passage.pop()!;
    const first = question.slice(0, Math.floor(maxTokens * QUESTION_SHARE) - 2);
    const second = passage.slice(0, maxTokens - first.length - 3);
    return [start, ...first, separator, ...second, separator];
  }

  /** Segment 0 up to and with the first separator, 1 after it. */
  function segmentsOf(row: readonly number[]): number[] {
    const end = row.indexOf(row.at(-1)!);
    return row.map((_, at) => (at <= end ? 0 : 1));
  }

  return {
    tokenize,
    async encode(batch) {
      const { logits } = await tokens.run(batch, segmentsOf);
      if (logits?.dims[1] !== 1) throw new Error('The model does not give one logit per pair.');
      const values = logits.data as Float32Array;
      return batch.map((_, at) => Float32Array.of(1 / (1 + Math.exp(-values[at]!))));
    },
  };
}
