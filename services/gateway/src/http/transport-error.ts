import { HttpException } from '@nestjs/common';
import { RagmeshError, asRagmeshError, isRagmeshError } from '@ragmesh/errors';

const invalidUrl = 'The URL cannot be read: it holds a wrong escape or an overlong part.';

/** Sentences for what Fastify and its multipart parser refuse before a handler runs. */
const fastifyErrors: Readonly<Record<string, () => RagmeshError>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new RagmeshError('REQUEST.UNSUPPORTED_MEDIA_TYPE', 'The Content-Type of the body is not one this route reads.', {
      field: 'Content-Type',
    }),
  FST_ERR_BAD_URL: () => new RagmeshError('REQUEST.MALFORMED', invalidUrl),
  FST_ERR_MAX_PARAM_LENGTH: () => new RagmeshError('REQUEST.MALFORMED', invalidUrl),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new RagmeshError('REQUEST.MALFORMED', 'The body is not as long as Content-Length says.', {
      field: 'Content-Length',
    }),
  FST_PARTS_LIMIT: () => new RagmeshError('REQUEST.TOO_LARGE', 'The form has too many parts.'),
  FST_FILES_LIMIT: () => new RagmeshError('REQUEST.TOO_LARGE', 'The form has too many files.'),
  FST_FIELDS_LIMIT: () => new RagmeshError('REQUEST.TOO_LARGE', 'The form has too many fields.'),
};

interface StatusError {
  readonly code?: unknown;
  readonly statusCode?: unknown;
}

/** What any failure of a request means in ragmesh's terms. The cause of an unexpected one stays attached for the log. */
export function asRequestError(error: unknown): RagmeshError {
  if (isRagmeshError(error)) return error;
  if (error instanceof HttpException && error.getStatus() === 404) {
    return new RagmeshError('REQUEST.NOT_FOUND', 'This server has no such route.');
  }
  const { code, statusCode } = (error ?? {}) as StatusError;
  const known = fastifyErrors[String(code)];
  if (known) return known();
  const status = error instanceof HttpException ? error.getStatus() : Number(statusCode);
  if (status >= 400 && status < 500) {
    return new RagmeshError('REQUEST.MALFORMED', 'The request is not well-formed HTTP, JSON or multipart data.');
  }
  return asRagmeshError(error);
}
