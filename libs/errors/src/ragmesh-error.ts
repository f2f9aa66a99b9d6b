import { errorCatalogue, type ErrorCode, type ErrorSpec } from './error-catalogue.js';

/** Small and safe to show: ids, names, limits and counts. Never prompt, chunk or answer text, never a secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/**
 * Every expected failure. The code is stable across processes, where `instanceof` is not; what it means for the caller
 * (HTTP status, retry or not, advice) stands in the error catalogue and nowhere else.
 */
export class RagmeshError extends Error {
  override readonly name = 'RagmeshError';

  /** @param message a sentence for the person who has to act: what happened, with the field and the limit named. */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get spec(): ErrorSpec {
    return errorCatalogue[this.code];
  }

  /** `transient`: the same call may succeed later. `permanent`: it will not until someone changes something. */
  get retry(): 'transient' | 'permanent' {
    return this.spec.retry;
  }
}

/** True for our errors, also when two copies of this package are loaded. */
export function isRagmeshError(error: unknown): error is RagmeshError {
  return error instanceof Error && error.name === 'RagmeshError' && 'code' in error;
}

/** The error itself when it is ours; anything else becomes `INTERNAL.UNEXPECTED` with the original as its cause. */
export function asRagmeshError(error: unknown): RagmeshError {
  if (isRagmeshError(error)) return error;
  return new RagmeshError('INTERNAL.UNEXPECTED', 'Something unexpected went wrong on our side.', {}, { cause: error });
}
