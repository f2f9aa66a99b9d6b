import { HttpException } from '@nestjs/common';
import { RagmeshError, asRagmeshError, isRagmeshError } from '@ragmesh/errors';

const invalidUrl = 'The URL cannot be read: it holds a wrong escape or an overlong part.';

const unsupported = (): RagmeshError =>
  new RagmeshError('REQUEST.UNSUPPORTED_MEDIA_TYPE', 'The Content-Type of the body is not one this route reads.', {
    field: 'Content-Type',
  });

/** Sentences for what Fastify and its multipart parser refuse before a handler runs; Nest leaves only the status of some. */
const transportErrors: Readonly<Record<string, () => RagmeshError>> = {
  404: () => new RagmeshError('REQUEST.NOT_FOUND', 'This server has no such route.'),
  413: () => new RagmeshError('REQUEST.TOO_LARGE', 'The form has too many fields or files.'),
  415: unsupported,
  FST_ERR_BAD_URL: () => new RagmeshError('REQUEST.MALFORMED', invalidUrl),
  FST_ERR_MAX_PARAM_LENGTH: () => new RagmeshError('REQUEST.MALFORMED', invalidUrl),
};

interface StatusError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
}

/** What any failure of a request means in ragmesh's terms. The cause of an unexpected one stays attached for the log. */
export function asRequestError(error: unknown): RagmeshError {
  if (isRagmeshError(error)) return error;
  const { code, statusCode } = (error ?? {}) as StatusError;
  const status = error instanceof HttpException ? error.getStatus() : Number(statusCode);
  const known = transportErrors[String(code)] ?? transportErrors[status];
  if (known) return known();
  if (status >= 400 && status < 500) {
    return new RagmeshError('REQUEST.MALFORMED', 'The request is not well-formed HTTP, JSON or multipart data.');
  }
  return asRagmeshError(error);
}
