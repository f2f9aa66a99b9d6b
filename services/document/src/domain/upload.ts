import { createHash } from 'node:crypto';
import { RagmeshError } from '@ragmesh/errors';

/** Ids appear in URLs and event keys, so they are short and printable. */
const ID = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._:@+-]{0,199}$/u;

/** @throws RagmeshError REQUEST.INVALID naming the field. */
export function checkId(field: 'id' | 'collection', value: string): string {
  if (ID.test(value)) return value;
  const text = `${field} must be 1 to 200 letters, digits or . _ : @ + - and begin with a letter or digit.`;
  throw new RagmeshError('REQUEST.INVALID', text, { field, limit: 200 });
}

/**
 * How an upload is cut: as it names, else as usual. A usual overlap too wide for a size that was named is narrowed to its quarter.
 * @throws RagmeshError REQUEST.INVALID when chunks would overlap by half or more.
 */
export function chunkingOf(
  named: { readonly chunkSize?: number | undefined; readonly chunkOverlap?: number | undefined },
  usual: { readonly size: number; readonly overlap: number },
): { size: number; overlap: number } {
  const { chunkSize: size = usual.size } = named;
  const overlap = size === usual.size ? usual.overlap : Math.min(usual.overlap, size >> 2);
  return checkChunking(size, named.chunkOverlap ?? overlap);
}

/** @throws RagmeshError REQUEST.INVALID when chunks would overlap by half or more. */
export function checkChunking(size: number, overlap: number): { size: number; overlap: number } {
  if (size < 32 || size > 2048) {
    throw new RagmeshError('REQUEST.INVALID', 'chunk_size must be between 32 and 2048 tokens.', {
      field: 'chunk_size',
      limit: 2048,
    });
  }
  if (overlap < 0 || overlap * 2 >= size) {
    throw new RagmeshError('REQUEST.INVALID', 'chunk_overlap must be 0 or more and below half of chunk_size.', {
      field: 'chunk_overlap',
      limit: size / 2,
    });
  }
  return { size, overlap };
}

/** The same bytes, cut the same way, for the same readers, are the same document. @param access null: for everyone. */
export function dedupKey(
  kind: string,
  sha256: string,
  { size, overlap }: { readonly size: number; readonly overlap: number },
  access: readonly string[] | null,
): string {
  const readers = access === null ? '' : ` ${JSON.stringify(access.toSorted())}`;
  return createHash('sha256').update(`${kind} ${sha256} ${size} ${overlap}${readers}`).digest('hex');
}

/** What a document is called when its upload gives no title. */
export const titleFrom = (title: string, fileName: string): string => title || fileName || 'Untitled';
