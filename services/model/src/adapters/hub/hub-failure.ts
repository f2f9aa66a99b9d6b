import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { retryAfterSeconds } from '@ragmesh/resilience';

/** What was asked of the hub. */
export interface HubRequest {
  /** owner/name */
  readonly repository: string;
  readonly revision: string;
  /** Of the repository; without it the repository itself was asked for. */
  readonly path?: string;
}

/** The hub says what is missing in a header, because a private repository and an absent one look alike. */
const ERROR_CODE = 'x-error-code';

/** What a refusal of the hub means to the person who has to act. */
export function hubRefusal({ repository, revision, path }: HubRequest, response: Response): RagmeshError {
  const { status } = response;
  const details = { model: repository, revision, status, ...(path ? { file: path } : {}) };
  const code = response.headers.get(ERROR_CODE);
  if (code === 'RevisionNotFound')
    return new RagmeshError('MODEL.NOT_FOUND', `The model ${repository} has no revision ${revision}.`, details);
  if (code === 'RepoNotFound' || (status === 404 && !path))
    return new RagmeshError('MODEL.NOT_FOUND', `The hub shows no model ${repository}; a private one needs HF_TOKEN.`, {
      ...details,
    });
  if (status === 404)
    return new RagmeshError('MODEL.NOT_FOUND', `The model ${repository} has no file ${path} any more.`, details);
  if (status === 401 || status === 403)
    return new RagmeshError('MODEL.ACCESS_DENIED', `The hub refuses access to ${repository} (${status}).`, details);
  const retryAfter = retryAfterSeconds(response.headers.get('retry-after'), Date.now());
  const message =
    status === 429 ? 'The hub asks to slow down (429).' : `The hub answered ${status} instead of ${repository}.`;
  return new RagmeshError('MODEL.DOWNLOAD_FAILED', message, { ...details, ...(retryAfter ? { retryAfter } : {}) });
}

/** Whether a failure speaks against the hub itself: no answer, or one of its own trouble. What it refuses, it has answered. */
export const isHubIll = (error: unknown): boolean => !isRagmeshError(error) || Number(error.details['status']) >= 500;

/** What an open breaker means to those who want a model: as any failed download, it says nothing of the model service. */
export function hubPause({ repository }: HubRequest, cause: RagmeshError): RagmeshError {
  const details = { ...cause.details, model: repository, reason: 'paused' };
  return new RagmeshError('MODEL.DOWNLOAD_FAILED', 'The hub is failing; it is asked again in a moment.', details, {
    cause,
  });
}

/** What a broken connection, trouble with the disk or a silence of the hub means; our own errors pass. */
export function hubTrouble({ repository }: Pick<HubRequest, 'repository'>, cause: unknown): RagmeshError {
  const trouble = diskTrouble(repository, cause);
  if (isRagmeshError(trouble)) return trouble;
  const message = `The download of ${repository} was interrupted.`;
  return new RagmeshError('MODEL.DOWNLOAD_FAILED', message, { model: repository, reason: 'connection' }, { cause });
}

/** Whether the disk itself refused bytes; a STORAGE.FULL may also foresee that it would. */
export function metFullDisk(error: unknown): boolean {
  const { code } = Object(isRagmeshError(error) ? error.cause : error) as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** What a failed call to the file system means, STORAGE.FULL or STORAGE.UNAVAILABLE; anything else as it is. */
export function diskTrouble(model: string, cause: unknown): unknown {
  if (isRagmeshError(cause)) return cause;
  const { code, syscall } = Object(cause) as NodeJS.ErrnoException;
  if (metFullDisk(cause))
    return new RagmeshError(
      'STORAGE.FULL',
      `There is no room on the disk for the model ${model}.`,
      { model },
      { cause },
    );
  if (!code || !syscall) return cause;
  const message = `The folder that models are kept in cannot be used (${code}); check MODEL_CACHE_DIR.`;
  return new RagmeshError('STORAGE.UNAVAILABLE', message, { model, reason: code }, { cause });
}
