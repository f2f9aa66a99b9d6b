import { explainFailure } from '@ragmesh/bootstrap';
import { readEnvironment } from '@ragmesh/config';
import { banner } from './banner.js';
import { startStandalone, type Standalone } from './start-standalone.js';

/** Longest time an orderly stop may take; then the process ends as it would on a second Ctrl+C. */
const STOP_DEADLINE_MS = 20_000;

function fail(error: unknown): never {
  process.stderr.write(`ragmesh: ${explainFailure(error)}\n`);
  process.exit(1);
}

function stopOnSignal(standalone: Standalone): void {
  let stopping = false;
  const stopAtOnce = (): never => {
    standalone.abandon();
    process.exit(1);
  };
  const stop = (): void => {
    if (stopping) stopAtOnce();
    stopping = true;
    setTimeout(stopAtOnce, STOP_DEADLINE_MS).unref();
    standalone.close().then(() => process.exit(0), fail);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

try {
  const standalone = await startStandalone({ environment: readEnvironment(), onLost: fail });
  stopOnSignal(standalone);
  process.stdout.write(banner(standalone, process.uptime()));
} catch (error) {
  fail(error);
}
