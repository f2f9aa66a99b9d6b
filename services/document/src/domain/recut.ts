import type { Chunking } from './chunking.js';
import { resplit, type KnownPlace, type Place } from './splitting/resplit.js';

/**
 * The chunks of a text in a generation that may cut in a way of its own.
 * @param kind of the upload; chunks the caller made stay as they are.
 * @param spans the chunks as the upload, or another generation, has them.
 */
export function recut<S extends KnownPlace>(
  kind: string,
  text: string,
  spans: readonly S[],
  chunking: Chunking,
): readonly (S | Place)[] {
  if (chunking === null || kind === 'chunks') return spans;
  return resplit(text, spans, { chunkSize: chunking.size, overlap: chunking.overlap });
}
