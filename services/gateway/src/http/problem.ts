import { errorCatalogue, type ErrorCode, type ErrorDetails, type RagmeshError } from '@ragmesh/errors';

/** Body of every failure (RFC 9457), with ragmesh's stable code beside the standard members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** Seconds to wait before a further try; null where another try would end the same. */
  readonly retry_after: number | null;
  readonly trace_id: string;
  readonly request_id: string;
  readonly help: string;
  /** Path of the input at fault, such as `filters.year`. */
  readonly field?: string;
  /** The bound that was passed, in the unit `detail` names. */
  readonly limit?: number | string;
}

interface Ids {
  readonly requestId: string;
  readonly traceId: string;
}

const DEFAULT_RETRY_AFTER_SECONDS = 1;
const waitingHelps = new Set([409, 429, 503]);

/** The edge says `retry_after`, services behind it `retryAfter`; Retry-After counts in whole seconds, so less would be too soon. */
function secondsToWait({ retry_after: own, retryAfter: theirs }: ErrorDetails): number {
  const seconds = Math.ceil(Number(own ?? theirs));
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : DEFAULT_RETRY_AFTER_SECONDS;
}

/** The one way from an error to what a client reads; everything but the sentence comes from the error catalogue. */
export function problemOf({ code, message, details }: RagmeshError, ids: Ids): Problem {
  const { status, title, help, retry } = errorCatalogue[code];
  const retryable = retry === 'transient';
  const { limit } = details;
  const field = code.startsWith('FILTER.') ? details['path'] : details['field'];
  return {
    type: `urn:ragmesh:problem:${code.toLowerCase().replace('.', ':')}`,
    title,
    status,
    detail: message,
    code,
    retryable,
    retry_after: retryable && waitingHelps.has(status) ? secondsToWait(details) : null,
    trace_id: ids.traceId,
    request_id: ids.requestId,
    help,
    ...(field === undefined ? {} : { field: String(field) }),
    ...(typeof limit === 'number' || typeof limit === 'string' ? { limit } : {}),
  };
}
