import type { EmbedPriority } from '../../domain/embedder.js';
import type { EncoderModel } from './sentence-encoder.js';

/** What a worker is started with. */
export interface InferenceSetup {
  /** URL of the module that holds the encoder, next to the worker's own. */
  readonly encoder: string;
  readonly model: EncoderModel;
  /** Most tokens of one run, padding included; batches that turn out longer are run in parts. */
  readonly runTokens: number;
}

export interface InferenceTask {
  readonly id: number;
  readonly priority: EmbedPriority;
  readonly texts: readonly string[];
}

/** Ends the thread after the run it is in. */
export type InferenceStop = 'stop';

/** `vectors` own their buffers, which are transferred. A vector without a direction is all NaN. */
export type InferenceReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'vectors'; readonly id: number; readonly vectors: readonly Float32Array[] }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string };
