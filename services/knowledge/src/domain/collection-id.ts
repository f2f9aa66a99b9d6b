import { RagmeshError } from '@ragmesh/errors';

/** The collection of documents that name none. It always exists. */
export const defaultCollection = { id: 'default', title: 'Default collection' } as const;

/** Ids appear in URLs and event keys, so they are short and printable. */
const pattern = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._:@+-]{0,199}$/u;

/** @throws RagmeshError REQUEST.INVALID naming the field. */
export function checkCollectionId(id: string): string {
  if (pattern.test(id)) return id;
  const text = 'id must be 1 to 200 letters, digits or . _ : @ + - and begin with a letter or digit.';
  throw new RagmeshError('REQUEST.INVALID', text, { field: 'id', limit: 200 });
}
