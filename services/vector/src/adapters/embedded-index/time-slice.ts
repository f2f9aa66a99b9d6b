import { setImmediate as nextTurn } from 'node:timers/promises';

/** Long work gives way to waiting requests after this many milliseconds. */
const SLICE_MS = 4;

/** Lets long work yield to the event loop whenever its slice of time is used up. */
export class TimeSlice {
  private end = performance.now() + SLICE_MS;

  get used(): boolean {
    return performance.now() >= this.end;
  }

  /** Resolves in a later turn of the event loop, with a fresh slice. */
  async renew(): Promise<void> {
    await nextTurn();
    this.end = performance.now() + SLICE_MS;
  }
}
