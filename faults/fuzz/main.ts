/** `npm run fuzz -- [--seconds 600] [--seed 1]`: starts a mesh, has Schemathesis try its API, and says what it found. */
import { parseArgs } from 'node:util';
import { startFuzzedMesh, startGuardedFuzzedMesh } from './fuzzed-mesh.js';
import { fuzz, type FuzzOptions } from './schemathesis.js';

/** The reading of the API document alone takes seconds of it. */
const LEAST_SECONDS = 15;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' } },
});
const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
if (!(seconds >= 1) || !Number.isSafeInteger(seed)) {
  process.stderr.write('--seconds and --seed take whole numbers, --seconds from 1.\n');
  process.exit(2);
}

/** Tries it, and says what came of it. @returns whether nothing was found. */
async function isFine(url: string, options: FuzzOptions): Promise<boolean> {
  const { output, operations, requests, failures, errors } = await fuzz(url, options);
  process.stdout.write(
    `${output}\n${requests} requests to ${operations.tested} of ${operations.selected} operations in ${options.seconds} s, ` +
      `${failures.length} kinds of failure, ${errors.length} kinds of error\n`,
  );
  return failures.length + errors.length === 0 && operations.tested === operations.selected;
}

const least = Math.max(LEAST_SECONDS, Math.ceil(seconds / 20));
const mesh = await startFuzzedMesh();
try {
  const rest = await isFine(mesh.url, { seconds, seed, only: 'rest' });
  const last = await isFine(mesh.url, { seconds: least, seed, only: 'last' });
  process.exitCode = rest && last ? 0 : 1;
} finally {
  await mesh.close();
}

const guarded = await startGuardedFuzzedMesh();
try {
  if (!(await isFine(guarded.url, { seconds: least, seed, only: 'rest', key: guarded.readerKey })))
    process.exitCode = 1;
} finally {
  await guarded.close();
}
