import { setImmediate } from 'node:timers/promises';

/** Far below the 20 ms that the event loop may be held up, since a single step takes its time, too. */
const TURN_MS = 4;

/** Runs work that yields between its steps in turns of the event loop, so that other work goes on. Work that is short takes one. */
export async function inSteps<Result>(work: Generator<void, Result>): Promise<Result> {
  let began = performance.now();
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return step.value;
    if (performance.now() - began < TURN_MS) continue;
    await setImmediate();
    began = performance.now();
  }
}
