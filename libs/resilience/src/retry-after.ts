import { isRagmeshError } from '@ragmesh/errors';

/** Whoever asks for more is asked again before: what it says of the far future may be wrong. */
const LONGEST_ADVICE_SECONDS = 10 * 60;

/**
 * Seconds of a `Retry-After` header, up to ten minutes: a number, or a date (RFC 9110 §10.2.3).
 * @param now milliseconds since the epoch.
 */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(LONGEST_ADVICE_SECONDS, Math.max(0, seconds));
}

/**
 * How long whoever failed asked to be left alone, in ms, up to ten minutes: its error's `details.retryAfter` is in seconds. 0 without
 * advice.
 */
export function advisedPauseMs(error: unknown): number {
  const seconds = isRagmeshError(error) ? error.details.retryAfter : undefined;
  return typeof seconds === 'number' && seconds > 0 ? Math.min(LONGEST_ADVICE_SECONDS, seconds) * 1000 : 0;
}
