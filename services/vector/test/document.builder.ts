import type { JsonObject } from '@bufbuild/protobuf';

export const DIMENSION = 8;

/** What a test varies of a document; the rest is valid. */
export interface DocumentOptions {
  readonly id: string;
  readonly version?: number;
  readonly collection?: string;
  readonly texts: readonly string[];
  readonly metadata?: JsonObject;
  readonly batchSize?: number;
  readonly dimension?: number;
  readonly tenant?: string;
}

/** The same text has the same vector, other texts others. */
export function vectorOf(text: string, dimension = DIMENSION): Float32Array {
  let state = [...text].reduce((hash, character) => (hash * 31 + character.codePointAt(0)!) >>> 0, 7);
  return Float32Array.from({ length: dimension }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

export const bytesOf = (...vectors: Float32Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(vectors.map(({ buffer }) => Buffer.from(buffer as ArrayBuffer))));

export type Batch = ReturnType<typeof embeddedBatches>[number];

/** A document's chunks as the embedding service publishes them, in batches. */
export function embeddedBatches(options: DocumentOptions) {
  const {
    id,
    version = 1,
    collection = 'default',
    texts,
    metadata = {},
    batchSize = 64,
    dimension = DIMENSION,
  } = options;
  const batches = Math.ceil(texts.length / batchSize);
  return Array.from({ length: batches }, (_, batch) => {
    const part = texts.slice(batch * batchSize, (batch + 1) * batchSize);
    const chunks = part.map((text, index) => {
      const ordinal = batch * batchSize + index;
      return { ordinal, text, start: ordinal * 10, end: ordinal * 10 + text.length, page: 1, heading: 'Heading' };
    });
    return {
      ...{
        documentId: id,
        version: BigInt(version),
        collection,
        batch,
        batches,
        title: id,
        metadata,
        chunks,
        model: 'm@1',
        dimension,
      },
      vectors: bytesOf(...part.map((text) => vectorOf(text, dimension))),
    };
  });
}
