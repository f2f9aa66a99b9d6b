import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** What the encoder has to know of a model; paths and limits come from its manifest. */
export interface EncoderModel {
  readonly folder: string;
  /** ONNX file below the folder. */
  readonly weights: string;
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
}

/**
 * A token covers at most 100 characters (longer words become one unknown token), almost always fewer than 10. Text beyond
 * this many characters per token is not read, so that a huge text costs no more than a long one.
 */
const charactersPerToken = 64;

/**
 * One session with one thread: sessions scale over cores better than threads inside one. The arena stays on, it bounds
 * memory once batches are small; the memory pattern would be kept for every shape ever seen and buys no speed.
 */
const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  enableCpuMemArena: true,
  enableMemPattern: false,
};

/** Sentence vectors of a BERT-like model: token vectors averaged over the text's own tokens, then L2-normalised. */
export class SentenceEncoder {
  readonly #session: InferenceSession;
  readonly #tokenizer: Tokenizer;
  readonly #model: EncoderModel;

  private constructor(session: InferenceSession, tokenizer: Tokenizer, model: EncoderModel) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#model = model;
  }

  static async load(model: EncoderModel): Promise<SentenceEncoder> {
    const json = async (file: string): Promise<object> => JSON.parse(await readFile(join(model.folder, file), 'utf8'));
    const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
    const session = await InferenceSession.create(join(model.folder, model.weights), sessionOptions);
    return new SentenceEncoder(session, tokenizer, model);
  }

  /** Token ids, cut to the model's limit with the closing special token kept. */
  tokenize(text: string): number[] {
    const { ids } = this.#tokenizer.encode(text.slice(0, this.#model.maxTokens * charactersPerToken));
    if (ids.length <= this.#model.maxTokens) return ids;
    return [...ids.slice(0, this.#model.maxTokens - 1), ids.at(-1)!];
  }

  /** One vector per token list, from a single run padded to the longest. A vector without a direction is all NaN. */
  async encode(batch: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const length = Math.max(...batch.map((ids) => ids.length));
    const dims = [batch.length, length];
    const ids = new BigInt64Array(batch.length * length);
    const mask = new BigInt64Array(batch.length * length);
    batch.forEach((row, at) => {
      ids.set(row.map(BigInt), at * length);
      mask.fill(1n, at * length, at * length + row.length);
    });
    const { last_hidden_state: hidden } = await this.#session.run({
      input_ids: new Tensor('int64', ids, dims),
      attention_mask: new Tensor('int64', mask, dims),
      token_type_ids: new Tensor('int64', new BigInt64Array(batch.length * length), dims),
    });
    if (!hidden) throw new Error('The model has no output named last_hidden_state.');
    const width = hidden.dims[2]!;
    const states = hidden.data as Float32Array;
    return batch.map((row, at) => meanPooled(states.subarray(at * length * width), row.length, width));
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
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
