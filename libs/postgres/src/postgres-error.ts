import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

/** SQLSTATE classes and codes after which the same transaction may succeed later (PostgreSQL manual, appendix A). */
const transientStates = /^(08...|57P0[1-5]|53[023]00|40001|40P01|55P03|57014|25P03)$/;
const refusedValueStates = /^(22...|54000)$/;
const FULL = '53100';
const brokenConnection = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);
const brokenConnectionText =
  /connection terminated|timeout exceeded when trying to connect|connection timeout|cannot use a pool after|client has encountered a connection error|query read timeout/i;
const fullText = /no space left on device|disk quota exceeded/i;

type DriverError = Record<string, unknown>;

/** The error and what it was caused by. */
function* causes(error: unknown): Generator<DriverError> {
  for (
    let depth = 0, current: unknown = error;
    depth < 5 && typeof current === 'object' && current !== null;
    depth += 1
  ) {
    yield current as DriverError;
    current = (current as DriverError).cause;
  }
}

const isFull = ({ code, message }: DriverError): boolean =>
  code === FULL || code === 'ENOSPC' || fullText.test(String(message));

const isTransient = ({ code, message }: DriverError): boolean =>
  transientStates.test(String(code)) ||
  brokenConnection.has(String(code)) ||
  brokenConnectionText.test(String(message));

/**
 * The same failure in ragmesh's terms: `STORAGE.FULL` when the disk is full, `STORAGE.UNAVAILABLE` when the database is
 * away, overloaded, or gave up a deadlock; anything else (a constraint, a wrong statement) is returned as it is.
 */
export function asStorageError(error: unknown): unknown {
  if (isRagmeshError(error)) return error;
  const chain = [...causes(error)];
  if (chain.some(isFull))
    return new RagmeshError('STORAGE.FULL', 'The database has no disk space left.', {}, { cause: error });
  if (!chain.some(isTransient)) return error;
  return new RagmeshError('STORAGE.UNAVAILABLE', 'The database is not available at the moment.', {}, { cause: error });
}

/** Whether a value was refused that no table would take (SQLSTATE class 22; 54000: too long for an index): nothing to wait for. */
export const isRefusedValue = (error: unknown): boolean =>
  [...causes(error)].some(({ code }) => refusedValueStates.test(String(code)));
