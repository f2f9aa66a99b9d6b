import { RagmeshError } from '@ragmesh/errors';
import type { Embedder, EmbedOptions } from './embedder.js';

const words = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{M}\p{N}]+/gu;

/** Share of a word's weight that lies in its character trigrams, so that inflections stay near each other. */
const trigramWeight = 0.3;

/**
 * Embeds without a model: words and their character trigrams are hashed onto signed dimensions (feature hashing,
 * Weinberger et al. 2009), then L2-normalised. The same text gives the same vector on every machine; texts that share
 * words are near each other, synonyms are not. Meant for tests and CI, not for search quality.
 */
export class HashEmbedder implements Embedder {
  readonly model = 'hash@1';

  constructor(readonly dimension = 384) {}

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    if (options.signal?.aborted) throw new RagmeshError('REQUEST.CANCELLED', 'The caller cancelled the embedding.');
    return texts.map((text) => this.vectorOf(text));
  }

  async warm(): Promise<void> {}

  async close(): Promise<void> {}

  private vectorOf(text: string): Float32Array {
    const vector = new Float32Array(this.dimension);
    // A constant feature gives the empty text a direction too.
    this.addFeature(vector, '', 0.01);
    for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(words)) {
      this.addFeature(vector, word, 1);
      const framed = `^${word}$`;
      for (let at = 0; at + 3 <= framed.length; at++) this.addFeature(vector, framed.slice(at, at + 3), trigramWeight);
    }
    const norm = Math.hypot(...vector);
    return vector.map((value) => value / norm);
  }

  private addFeature(vector: Float32Array, feature: string, weight: number): void {
    const hash = fnv1a(feature);
    vector[(hash >>> 1) % this.dimension]! += hash & 1 ? weight : -weight;
  }
}

/** 32-bit FNV-1a over UTF-16 code units, with the finaliser of MurmurHash3 so that every bit is usable. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
