import { errorCatalogue, type ErrorCode } from '@ragmesh/errors';

/**
 * Whether a document that failed for this may be tried again: for what may pass, or when it was called off. A code that is not
 * in the catalogue, of a newer release say, counts as `INTERNAL.UNEXPECTED`.
 */
export function isRetryable(code: string): boolean {
  const { retry } = errorCatalogue[code as ErrorCode] ?? errorCatalogue['INTERNAL.UNEXPECTED'];
  return retry === 'transient' || code === 'DOCUMENT.CANCELLED';
}
