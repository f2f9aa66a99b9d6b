import { setImmediate } from 'node:timers/promises';

/** Far below the 20 ms that the event loop may be held up, since what is done between two looks takes its time, too. */
const TURN_MS = 4;

/** Cuts long work into turns of the event loop, so that requests and events beside it go on. Work that is short takes one. */
export class ShortTurns {
  #began = performance.now();

  /** Call between pieces of the work; goes on in another turn once this one has taken long enough. */
  async next(): Promise<void> {
    if (performance.now() - this.#began < TURN_MS) return;
    await setImmediate();
    this.#began = performance.now();
  }
}
