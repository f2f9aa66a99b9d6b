import type { Chunk, PageStart } from './splitting/chunk.js';

/** Start, end, page, heading and own metadata of a chunk, and where further pages begin in it, if any do. */
export type Span = readonly [
  number,
  number,
  number | null,
  string | null,
  (Record<string, unknown> | null)?,
  (readonly PageStart[])?,
];

/** How a chunk that was cut from a text is kept. */
export const keptSpan = ({ start, end, page, heading, pageStarts }: Omit<Chunk, 'index' | 'text'>): Span =>
  pageStarts ? [start, end, page, heading, null, pageStarts] : [start, end, page, heading];
