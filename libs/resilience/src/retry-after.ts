import { isRagmeshError } from '@ragmesh/errors';

/** Seconds of a `Retry-After` header: a number, or a date (RFC 9110 §10.2.3). @param now milliseconds since the epoch. */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

/** Whoever asks for more is asked again before: what it says of the far future may be wrong. */
const LONGEST_ADVICE_MS = 10 * 60_000;

/**
 * How long whoever failed asked to be left alone, in ms, up to ten minutes: its error's `details.retryAfter` is in seconds. 0 without
 * advice.
 */
export function advisedPauseMs(error: unknown): number {
  const seconds = isRagmeshError(error) ? error.details.retryAfter : undefined;
  return typeof seconds === 'number' && seconds > 0 ? Math.min(LONGEST_ADVICE_MS, seconds * 1000) : 0;
}
