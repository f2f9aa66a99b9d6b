import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { counter } from '@ragmesh/observability';
import { LRUCache } from 'lru-cache';
import { LazyEmbedder, type Patience } from '../adapters/lazy-embedder.js';
import type { Embedder, EmbedOptions, EmbedPriority } from '../domain/embedder.js';
import { embeddingCacheKey } from '../domain/embedding-cache-key.js';
import type { EmbeddingConfig } from '../embedding.config.js';

/** Vectors in the order of the texts, and which model made them. */
export interface Embedded {
  readonly vectors: readonly Float32Array[];
  /** `name@revision` */
  readonly model: string;
  readonly dimension: number;
}

type VectorCache = LRUCache<string, Float32Array>;

/** Embeds what is not known yet; each distinct text once. Questions and chunks do not push each other out of memory. */
@Injectable()
export class EmbedTexts {
  readonly #caches: Readonly<Record<EmbedPriority, VectorCache>>;

  constructor(
    private readonly embedder: LazyEmbedder,
    @Inject(CONFIG) config: EmbeddingConfig,
  ) {
    this.#caches = {
      query: new LRUCache({ max: config.EMBEDDING_QUERY_CACHE_SIZE }),
      batch: new LRUCache({ max: config.EMBEDDING_CACHE_SIZE }),
    };
  }

  /** @throws RagmeshError EMBEDDING.UNAVAILABLE, EMBEDDING.INVALID_VECTOR or REQUEST.CANCELLED. */
  async run(texts: readonly string[], priority: EmbedPriority, patience: Patience): Promise<Embedded> {
    const embedder = await this.embedder.get(patience);
    const { model, dimension } = embedder;
    const keys = texts.map((text) => embeddingCacheKey(model, text));
    const cache = this.#caches[priority];
    const vectors = new Map<string, Float32Array>();
    const missing = new Map<string, string>();
    keys.forEach((key, at) => {
      const known = cache.get(key);
      if (known) vectors.set(key, known);
      else missing.set(key, texts[at]!);
    });
    counter('rag_cache_hits_total').inc({ cache: 'embedding' }, texts.length - missing.size);
    counter('rag_cache_misses_total').inc({ cache: 'embedding' }, missing.size);
    for (const [key, vector] of await embedAll(embedder, missing, { priority, signal: patience.signal })) {
      vectors.set(key, vector);
      cache.set(key, vector);
    }
    return { vectors: keys.map((key) => vectors.get(key)!), model, dimension };
  }
}

async function embedAll(
  embedder: Embedder,
  texts: ReadonlyMap<string, string>,
  options: EmbedOptions,
): Promise<[string, Float32Array][]> {
  if (texts.size === 0) return [];
  const vectors = await embedder.embed([...texts.values()], options);
  return [...texts.keys()].map((key, at) => [key, vectors[at]!]);
}
