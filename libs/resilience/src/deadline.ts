import { RagmeshError } from '@ragmesh/errors';

/** A point in time by which an answer is of use, handed down from call to call. Times in ms. */
export class Deadline {
  private constructor(
    private readonly expiresAt: number,
    private readonly parent?: AbortSignal,
  ) {}

  /** @param signal ends the work earlier, for instance because the caller went away. */
  static in(ms: number, signal?: AbortSignal): Deadline {
    return new Deadline(performance.now() + Math.max(0, ms), signal);
  }

  /** Time left, never negative. */
  get remainingMs(): number {
    return Math.max(0, this.expiresAt - performance.now());
  }

  get hasExpired(): boolean {
    return this.remainingMs === 0 || this.parent?.aborted === true;
  }

  /** At most `ms` of what is left, so that a step cannot use up the time of the steps after it. */
  within(ms: number): Deadline {
    return Deadline.in(Math.min(ms, this.remainingMs), this.parent);
  }

  /** Aborts when the time is up; its reason is a `REQUEST.TIMEOUT`. Its timer does not keep the process alive. */
  signal(): AbortSignal {
    const controller = new AbortController();
    const expired = (): void =>
      controller.abort(new RagmeshError('REQUEST.TIMEOUT', 'The deadline of the request has passed.'));
    // Timers count whole milliseconds and may be one early; who is told must find it expired.
    const timer = setTimeout(expired, Math.min(Math.ceil(this.remainingMs) + 1, 2 ** 31 - 1));
    timer.unref();
    return this.parent === undefined ? controller.signal : AbortSignal.any([controller.signal, this.parent]);
  }

  /** @throws RagmeshError `REQUEST.TIMEOUT` once the time is up, `REQUEST.CANCELLED` once the caller is gone. */
  throwIfExpired(): void {
    if (this.parent?.aborted === true) throw new RagmeshError('REQUEST.CANCELLED', 'The caller went away.');
    if (this.hasExpired) throw new RagmeshError('REQUEST.TIMEOUT', 'The deadline of the request has passed.');
  }
}
