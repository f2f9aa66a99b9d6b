import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { notFound } from './blob-store.js';

/** What an S3 server answers, as far as a decision depends on it. */
interface S3Failure {
  readonly name?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Also of an upload that another copy ended first: that says nothing against the server. */
const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchUpload']);
/** Amazon never fills up; MinIO, Ceph and SeaweedFS do. */
const FULL = new Set(['XMinioStorageFull', 'InsufficientStorage', 'QuotaExceeded', 'EntityTooLarge']);
/** A wrong configuration: trying again does not help, a person has to act. */
const REFUSED = new Set([
  'NoSuchBucket',
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AllAccessDisabled',
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'InvalidBucketName',
  'CredentialsProviderError',
]);

/**
 * What a failed call to S3 means to us: BLOB.NOT_FOUND, STORAGE.REFUSED (permanent), STORAGE.FULL, and for all that may be
 * better in a moment (SlowDown, 5xx, network) STORAGE.UNAVAILABLE.
 */
export function asS3Error(error: unknown): RagmeshError {
  if (isRagmeshError(error)) return error;
  const { name = '', Code: code = name, $metadata: { httpStatusCode: status = 0 } = {} } = error as S3Failure;
  const details = { dependency: 's3', reason: code };
  if (MISSING.has(code)) return notFound(error);
  if (FULL.has(code) || status === 507) {
    return new RagmeshError('STORAGE.FULL', 'The object store is full; nothing was kept.', details, { cause: error });
  }
  if (REFUSED.has(code) || status === 401 || status === 403) {
    const message = 'The object store refused access; check S3_BUCKET, S3_REGION and the credentials.';
    return new RagmeshError('STORAGE.REFUSED', message, details, { cause: error });
  }
  const message = 'The object store gave no result.';
  return new RagmeshError('STORAGE.UNAVAILABLE', message, { ...details, retryAfter: 1 }, { cause: error });
}
