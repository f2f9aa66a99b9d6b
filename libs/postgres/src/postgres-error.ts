import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

/** SQLSTATE classes and codes after which the same transaction may succeed later (PostgreSQL manual, appendix A). */
const transientStates = /^(08...|57P0[1-5]|53[023]00|40001|40P01|55P03|57014|25P03)$/;
const refusedValueStates = /^(22...|54000)$/;
const fullStates = /^(53100)$/;
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

interface DriverError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly constraint?: unknown;
  readonly cause?: unknown;
  readonly meta?: { readonly driverAdapterError?: unknown };
}

const asDriverError = (error: unknown): DriverError => (typeof error === 'object' && error !== null ? error : {});

/** The error and what it was caused by; Prisma wraps the driver's error two levels deep. */
function* causes(error: unknown): Generator<DriverError & Record<string, unknown>> {
  for (
    let depth = 0, current: unknown = error;
    depth < 5 && typeof current === 'object' && current !== null;
    depth += 1
  ) {
    yield current as DriverError & Record<string, unknown>;
    const { meta, cause } = asDriverError(current);
    current = meta?.driverAdapterError ?? cause;
  }
}

const isFull = ({ code, originalCode, message, originalMessage }: Record<string, unknown>): boolean =>
  fullStates.test(String(originalCode ?? code)) ||
  code === 'ENOSPC' ||
  fullText.test(String(originalMessage ?? message));

const isTransient = ({ code, originalCode, message }: Record<string, unknown>): boolean =>
  transientStates.test(String(originalCode ?? code)) ||
  brokenConnection.has(String(code)) ||
  ['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2034'].includes(String(code)) ||
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
  [...causes(error)].some(({ code, originalCode }) => refusedValueStates.test(String(originalCode ?? code)));

/** Whether a unique constraint refused the row; with `constraint`, whether it was that one. Knows pg's and Prisma's errors. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const chain = [...causes(error)];
  const isUnique = chain.some(
    ({ code, originalCode, kind }) =>
      code === '23505' || originalCode === '23505' || code === 'P2002' || kind === 'UniqueConstraintViolation',
  );
  if (!isUnique || constraint === undefined) return isUnique;
  return chain.some(
    (link) =>
      link.constraint === constraint || String(link.originalMessage ?? link.message).includes(`"${constraint}"`),
  );
}
