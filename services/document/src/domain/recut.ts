import type { Chunking } from './chunking.js';
import type { LongText } from './long-text.js';
import { ShortTurns } from './short-turns.js';
import { resplit, type KnownPlace, type Place } from './splitting/resplit.js';

/**
 * The chunks of a text in a generation that may cut in a way of its own; in short turns of the event loop.
 * @param kind of the upload; chunks the caller made stay as they are.
 * @param spans the chunks as the upload, or another generation, has them.
 */
export async function recut<S extends KnownPlace>(
  kind: string,
  text: LongText,
  spans: readonly S[],
  chunking: Chunking,
): Promise<readonly (S | Place)[]> {
  if (chunking === null || kind === 'chunks') return spans;
  const turns = new ShortTurns();
  const places: Place[] = [];
  for (const place of resplit(text, spans, { chunkSize: chunking.size, overlap: chunking.overlap })) {
    places.push(place);
    await turns.next();
  }
  return places;
}
