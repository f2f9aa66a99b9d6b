import type { LoadableModel, TokenModel } from './token-model.js';

/** Makes one row of numbers of each text. */
export interface Encoder {
  /** Token ids, cut to the model's limit. */
  tokenize(text: string): number[];
  /** One row per token list, from a single run padded to the longest. A row that cannot be used is all NaN. */
  encode(batch: readonly (readonly number[])[]): Promise<Float32Array[]>;
}

/** What a module with an encoder exports. It imports nothing of ours by value, see the worker. */
export interface EncoderModule {
  encoderOf(tokens: TokenModel, model: LoadableModel): Encoder;
}
