/** `query`: someone is waiting, goes first. `batch`: throughput counts, yields to queries. */
export type EmbedPriority = 'query' | 'batch';

export interface EmbedOptions {
  /** Default `batch`. */
  readonly priority?: EmbedPriority;
  /** Texts still waiting when it fires are dropped; the promise rejects with `REQUEST.CANCELLED`. */
  readonly signal?: AbortSignal;
  /** Told of every request that a provider charges for, whatever becomes of the others. */
  readonly onCharged?: (charge: ProviderCharge) => void;
}

/** What a provider charges for. */
export interface ProviderCharge {
  /** As the provider knows it. */
  readonly model: string;
  readonly tokens: number;
}

/** Turns texts into unit vectors, so that cosine similarity is the dot product. */
export interface Embedder {
  /** `name@revision`; vectors of different models must never be compared. */
  readonly model: string;
  /** Length of every vector. */
  readonly dimension: number;
  /** Longest text in tokens, special tokens included, where it is known. */
  readonly maxTokens?: number;

  /**
   * One L2-normalised vector per text, in the order given; each owns its buffer. An empty text has a vector too. Text
   * beyond the model's token limit does not count.
   *
   * @throws RagmeshError `EMBEDDING.UNAVAILABLE` (transient), `EMBEDDING.INVALID_VECTOR`,
   * `EMBEDDING.TEXT_REFUSED` naming the index of the text, `REQUEST.CANCELLED`
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>;

  /** Loads the model now instead of at the first text. */
  warm(): Promise<void>;

  /** Rejects what is waiting and frees the model. */
  close(): Promise<void>;
}
