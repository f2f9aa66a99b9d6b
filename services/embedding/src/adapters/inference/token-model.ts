import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** What is needed to load a model; paths and limits come from its manifest. */
export interface LoadableModel {
  readonly folder: string;
  /** ONNX file below the folder. */
  readonly weights: string;
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
  /** How the vectors of tokens become one; their mean unless said. */
  readonly pooling?: 'mean' | 'cls';
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

/** A transformer with its tokenizer: text to tokens, tokens to whatever the model gives. */
export class TokenModel {
  readonly #session: InferenceSession;
  readonly #tokenizer: Tokenizer;
  readonly #maxCharacters: number;

  private constructor(session: InferenceSession, tokenizer: Tokenizer, maxCharacters: number) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#maxCharacters = maxCharacters;
  }

  static async load({ folder, weights, maxTokens }: LoadableModel): Promise<TokenModel> {
    const json = async (file: string): Promise<object> => JSON.parse(await readFile(join(folder, file), 'utf8'));
    const tokenizer = new Tokenizer(
      await json('tokenizer.json'),
      await json('tokenizer_config.json').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return {};
        throw error;
      }),
    );
    const session = await InferenceSession.create(join(folder, weights), sessionOptions);
    return new TokenModel(session, tokenizer, maxTokens * charactersPerToken);
  }

  /** Token ids with the model's special tokens, not cut. */
  idsOf(text: string): number[] {
    return this.#tokenizer.encode(text.slice(0, this.#maxCharacters)).ids;
  }

  /** One run over token lists, padded to the longest. `typesOf` gives the segment of each token where there are two. */
  async run(
    batch: readonly (readonly number[])[],
    typesOf?: (row: readonly number[]) => number[],
  ): Promise<InferenceSession.OnnxValueMapType> {
    const length = Math.max(...batch.map((ids) => ids.length));
    const dims = [batch.length, length];
    const ids = new BigInt64Array(batch.length * length);
    const mask = new BigInt64Array(batch.length * length);
    const types = new BigInt64Array(batch.length * length);
    batch.forEach((row, at) => {
      ids.set(row.map(BigInt), at * length);
      mask.fill(1n, at * length, at * length + row.length);
      if (typesOf) types.set(typesOf(row).map(BigInt), at * length);
    });
    const inputs: Record<string, BigInt64Array> = { input_ids: ids, attention_mask: mask, token_type_ids: types };
    const known = this.#session.inputNames.filter((name) => inputs[name]);
    return this.#session.run(Object.fromEntries(known.map((name) => [name, new Tensor('int64', inputs[name]!, dims)])));
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}
