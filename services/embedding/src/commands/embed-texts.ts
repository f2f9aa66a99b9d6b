import { Injectable } from '@nestjs/common';
import type { Computed } from '@ragmesh/cache';
import { LazyEmbedder, type Patience } from '../adapters/lazy-embedder.js';
import { NAMESPACE, VectorCache } from '../adapters/vector-cache.js';
import type { EmbedPriority } from '../domain/embedder.js';
import { embeddingCacheKey } from '../domain/embedding-cache-key.js';

/** Vectors in the order of the texts, and which model made them. */
export interface Embedded {
  readonly vectors: readonly Float32Array[];
  /** `name@revision` */
  readonly model: string;
  readonly dimension: number;
}

/** Embeds what is not known yet; each distinct text once, also when several ask for it at the same time. */
@Injectable()
export class EmbedTexts {
  constructor(
    private readonly embedder: LazyEmbedder,
    private readonly vectors: VectorCache,
  ) {}

  /** @throws RagmeshError EMBEDDING.UNAVAILABLE, EMBEDDING.INVALID_VECTOR or REQUEST.CANCELLED. */
  async run(texts: readonly string[], priority: EmbedPriority, patience: Patience): Promise<Embedded> {
    const embedder = await this.embedder.get(patience);
    const { model, dimension } = embedder;
    const keys = texts.map((text) => `${NAMESPACE}:${embeddingCacheKey(model, text)}`);
    const textOf = new Map(keys.map((key, at) => [key, texts[at]!]));
    const compute = async (missing: readonly string[], signal: AbortSignal) => {
      const made = await embedder.embed(
        missing.map((key) => textOf.get(key)!),
        { priority, signal },
      );
      return new Map(missing.map((key, at): [string, Computed<Float32Array>] => [key, { value: made[at]! }]));
    };
    const found = await this.vectors.for(priority).getOrComputeMany([...textOf.keys()], compute, patience.signal);
    return { vectors: keys.map((key) => found.get(key)!.value!), model, dimension };
  }
}
