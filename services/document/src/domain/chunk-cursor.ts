import { RagmeshError } from '@ragmesh/errors';

/** How a text is cut into chunks: ordinals of another cut mean other chunks. */
export interface ChunkCut {
  readonly version: number;
  readonly generation: number;
}

/** A place in the list of a document's chunks. */
export interface ChunkPosition {
  readonly ordinal: number;
  /** The one there was when the list was begun. */
  readonly cut: ChunkCut;
}

/** The position as an opaque text for callers. */
export const encodeChunkCursor = ({ ordinal, cut: { version, generation } }: ChunkPosition): string =>
  Buffer.from(`${version} ${generation} ${ordinal}`).toString('base64url');

/** @returns undefined for an empty text, the start of the list. @throws RagmeshError REQUEST.INVALID for a made-up one. */
export function decodeChunkCursor(cursor: string): ChunkPosition | undefined {
  if (cursor === '') return undefined;
  const match = /^(\d{1,15}) (\d{1,9}) (\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (!match) throw new RagmeshError('REQUEST.INVALID', 'cursor is not one this list gave.', { field: 'cursor' });
  return { cut: { version: Number(match[1]), generation: Number(match[2]) }, ordinal: Number(match[3]) };
}
