import { RagmeshError } from '@ragmesh/errors';

/** Place in a list ordered by a time, then by an id. */
export interface ListPosition {
  /** Microseconds since 1970, as a decimal: beyond what a double holds exactly. */
  readonly createdMicros: string;
  readonly id: string;
}

/** The time of a row as a {@link ListPosition} has it. @param column of type `timestamptz`. */
export const microsOf = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;

/** The position as an opaque text for callers. */
export function encodeCursor({ createdMicros, id }: ListPosition): string {
  return Buffer.from(`${createdMicros} ${id}`).toString('base64url');
}

/** @returns undefined for an empty text, the start of the list. @throws RagmeshError REQUEST.INVALID for a made-up one. */
export function decodeCursor(cursor: string): ListPosition | undefined {
  if (cursor === '') return undefined;
  const [, createdMicros, id] =
    /^(\d{1,18}) ([^\p{Cc}]{1,400})$/u.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (createdMicros === undefined || id === undefined)
    throw new RagmeshError('REQUEST.INVALID', 'cursor is not one that this list gave.', { field: 'cursor' });
  return { createdMicros, id };
}
