import { metadataBytes } from './metadata-bytes.js';

/** Below the largest message of a call, with room for what a chunk has besides. */
const MOST_BYTES = 8 * 1024 * 1024;

interface ChunkContent {
  readonly text: string;
  readonly metadata: Record<string, unknown> | null | undefined;
}

const bytesOf = ({ text, metadata }: ChunkContent): number =>
  Buffer.byteLength(text) + (metadata ? metadataBytes(metadata) : 0);

interface PagePlace {
  /** Ordinal of the first of the chunks. */
  readonly first: number;
  /** Chunks of the whole document. */
  readonly total: number;
}

/** As many of these chunks, from the first on, as one message can take, one at least; and the ordinal of the next, if any. */
export function chunkPage<Chunk extends ChunkContent>(
  wanted: readonly Chunk[],
  { first, total }: PagePlace,
): { readonly chunks: readonly Chunk[]; readonly nextOrdinal: number | undefined } {
  let bytes = 0;
  const tooMany = wanted.findIndex((chunk) => (bytes += bytesOf(chunk)) > MOST_BYTES);
  const chunks = tooMany < 0 ? wanted : wanted.slice(0, Math.max(1, tooMany));
  const next = first + chunks.length;
  return { chunks, nextOrdinal: chunks.length > 0 && next < total ? next : undefined };
}
