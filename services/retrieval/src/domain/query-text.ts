import { RagmeshError } from '@ragmesh/errors';

/** Longest question, in characters (code points) after trimming. */
export const MAX_QUERY_CHARACTERS = 8_000;

/**
 * The question as every stage sees it: NFC, without surrounding white space, so that the same question typed on two
 * keyboards finds, ranks and caches the same.
 * @throws REQUEST.INVALID naming `query` when it is not text, empty, too long, or holds NUL or a lone surrogate.
 */
export function normaliseQuery(query: unknown): string {
  if (typeof query !== 'string') throw invalid('must be a string');
  // A code point is at most two units, so this bound spares counting and normalising a text of megabytes.
  if (query.length > 4 * MAX_QUERY_CHARACTERS) throw tooLong();
  if (query.includes('\0')) throw invalid('must not contain NUL (U+0000)');
  if (!query.isWellFormed()) throw invalid('must be well-formed Unicode; it contains a lone surrogate');
  const text = query.normalize('NFC').trim();
  if (text === '') throw invalid(`must have 1 to ${MAX_QUERY_CHARACTERS} characters; it is empty`);
  if (text.length > MAX_QUERY_CHARACTERS && [...text].length > MAX_QUERY_CHARACTERS) throw tooLong();
  return text;
}

function tooLong(): RagmeshError {
  return invalid(`must have at most ${MAX_QUERY_CHARACTERS} characters`);
}

function invalid(problem: string): RagmeshError {
  return new RagmeshError('REQUEST.INVALID', `The field query ${problem}.`, {
    field: 'query',
    limit: MAX_QUERY_CHARACTERS,
  });
}
