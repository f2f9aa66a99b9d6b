import { explainFailure, onStopSignals } from '@ragmesh/bootstrap';
import { readEnvironment } from '@ragmesh/config';
import { banner } from './banner.js';
import { startStandalone, type Standalone } from './start-standalone.js';

/** Longest time an orderly stop may take; then the process ends as it would on a second Ctrl+C. */
const STOP_DEADLINE_MS = 20_000;

function fail(error: unknown): never {
  process.stderr.write(`ragmesh: ${explainFailure(error)}\n`);
  process.exit(1);
}

/** Tells the database to end, once there is one. */
let abandonDatabase = (): void => undefined;

function stopOnSignal(starting: Promise<Standalone>): void {
  const stopAtOnce = (): never => {
    abandonDatabase();
    process.exit(1);
  };
  const stop = (): void => {
    setTimeout(stopAtOnce, STOP_DEADLINE_MS).unref();
    starting.then((standalone) => standalone.close()).then(() => process.exit(0), fail);
  };
  onStopSignals(stop, stopAtOnce);
}

const starting = startStandalone({
  environment: readEnvironment(),
  onLost: fail,
  onDatabase: (abandon) => (abandonDatabase = abandon),
});
stopOnSignal(starting);
try {
  process.stdout.write(banner(await starting, process.uptime()));
} catch (error) {
  fail(error);
}
