import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const pollMs = 1000;

/**
 * Runs in a thread, since a parser may not let go of the event loop. A process whose parent is gone is given to another
 * one, and nobody holds it to its limits any more.
 */
const watch = `
  const { workerData: parent } = require('node:worker_threads');
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }, ${pollMs});`;

/** It has nothing to keep. */
const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/**
 * Takes threads away from this process, for a thread may be begun free of the permission model, and gives what begins the
 * only one: it kills this process within a second or two of its parent's end. Calling that again changes nothing.
 */
export function takeThreads(): () => void {
  const { Worker } = threads;
  const parent = process.ppid;
  let isWatched = false;
  threads.Worker = class {
    constructor() {
      throw new Error('The parser has no threads.');
    }
  } as unknown as typeof Worker;
  syncBuiltinESMExports();
  return () => {
    if (isWatched) return;
    isWatched = true;
    const thread = new Worker(watch, { eval: true, workerData: parent, resourceLimits });
    thread.on('error', () => undefined); // without the watch, the parent's limits still hold
    thread.unref();
  };
}
