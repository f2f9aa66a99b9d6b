import type { EmbedPriority } from '../../domain/embedder.js';
import type { LoadableModel } from './token-model.js';

/** What a worker is started with. */
export interface InferenceSetup {
  /** URLs of the modules that hold the model and make the encoder around it, next to the worker's own. */
  readonly modules: { readonly tokenModel: string; readonly encoder: string };
  readonly model: LoadableModel;
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
