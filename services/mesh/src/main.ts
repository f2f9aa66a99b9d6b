import { explainFailure, onStopSignals } from '@ragmesh/bootstrap';
import { readEnvironment } from '@ragmesh/config';
import { banner } from './banner.js';
import { startMesh, type Mesh } from './start-mesh.js';
import { CannotStart } from './supervised-service.js';

/** Longest time an orderly stop may take; then the process ends as it would on a second Ctrl+C. */
const STOP_DEADLINE_MS = 60_000;

const say = (sentence: string): void => void process.stdout.write(`${new Date().toISOString()} ${sentence}\n`);

function fail(error: unknown): never {
  process.stderr.write(`ragmesh: ${error instanceof CannotStart ? error.message : explainFailure(error)}\n`);
  process.exit(1);
}

function stopOnSignal(starting: Promise<Mesh>): void {
  const stopAtOnce = (): never => process.exit(1); // children notice that their supervisor is gone
  const stop = (): void => {
    setTimeout(stopAtOnce, STOP_DEADLINE_MS).unref();
    starting.then((mesh) => mesh.close()).then(() => process.exit(0), fail);
  };
  onStopSignals(stop, stopAtOnce);
}

const starting = startMesh({ environment: readEnvironment(), say, onLost: fail });
stopOnSignal(starting);
try {
  process.stdout.write(banner(await starting, process.uptime()));
} catch (error) {
  fail(error);
}
