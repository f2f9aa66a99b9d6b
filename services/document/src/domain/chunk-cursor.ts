import { RagmeshError } from '@ragmesh/errors';

/** A place in the list of a document's chunks. */
export interface ChunkPosition {
  readonly ordinal: number;
  /** How the text was cut when the list was begun. */
  readonly cut: { readonly version: number; readonly generation: number };
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
