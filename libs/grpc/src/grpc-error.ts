import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { RagmeshError, asRagmeshError, errorCatalogue, type ErrorCode, type ErrorDetails } from '@ragmesh/errors';
import { MAX_MESSAGE_BYTES } from './message-limit.js';

const CARRIER = 'ragmesh-error-bin';
/** What grpc-js says for ENHANCE_YOUR_CALM: the one way to run out of a resource that passes. */
const BUSY = 'Bandwidth exhausted or memory limit exceeded';

/** HTTP status of the error catalogue → gRPC status, for callers that know no ragmesh codes. */
const statusByHttp: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  413: status.INVALID_ARGUMENT,
  415: status.INVALID_ARGUMENT,
  422: status.INVALID_ARGUMENT,
  499: status.CANCELLED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
  507: status.RESOURCE_EXHAUSTED,
};

interface Carried {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The one mapping of our errors onto the wire: a gRPC status, with code, sentence and details beside it. */
export function toGrpcStatus(error: unknown): StatusObject {
  const { code, message, details, spec } = asRagmeshError(error);
  const metadata = new Metadata();
  const carried: Carried = { code, message, details };
  metadata.set(CARRIER, Buffer.from(JSON.stringify(carried)));
  return { code: statusByHttp[spec.status] ?? status.INTERNAL, details: code, metadata };
}

/**
 * The way back: the error the other side threw, or what the transport's own failure means.
 * @param isCancelled whether this side cancelled the call. If not, it was broken off where it was answered, by a service
 * that stops say, and can be made again.
 */
export function fromGrpcError(error: ServiceError, service: string, isCancelled: boolean): RagmeshError {
  const [carrier] = error.metadata?.get(CARRIER) ?? [];
  if (Buffer.isBuffer(carrier)) {
    const { code, message, details } = JSON.parse(carrier.toString()) as Carried;
    if (code === 'AUTH.SERVICE_UNKNOWN') return strangers(service);
    if (code in errorCatalogue) return new RagmeshError(code, message, details);
  }
  if (error.code === status.CANCELLED && isCancelled)
    return new RagmeshError('REQUEST.CANCELLED', 'The call was cancelled.', { service });
  if (error.code === status.RESOURCE_EXHAUSTED && error.details !== BUSY) return tooLarge(service);
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new RagmeshError('REQUEST.TIMEOUT', `The ${service} service did not answer in time.`, { service });
  }
  return new RagmeshError(
    'DEPENDENCY.UNAVAILABLE',
    `The ${service} service cannot be reached.`,
    { service },
    { cause: error },
  );
}

/** A failure for good: the same message is as large the next time, and the service is well. */
const tooLarge = (service: string): RagmeshError => {
  const sentence = `A message to or from the ${service} service is larger than ${MAX_MESSAGE_BYTES} bytes.`;
  return new RagmeshError('DEPENDENCY.MESSAGE_TOO_LARGE', sentence, { service, limit: MAX_MESSAGE_BYTES });
};

/** Nothing the caller of this service could mend: its operators have given the two different keys. */
const strangers = (service: string): RagmeshError =>
  new RagmeshError('DEPENDENCY.UNAVAILABLE', `The ${service} service takes no calls from here; see SERVICE_AUTH_KEY.`, {
    service,
    reason: 'AUTH.SERVICE_UNKNOWN',
  });
