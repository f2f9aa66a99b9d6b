/** `npm run fuzz -- [--seconds 600] [--seed 1]`: starts a mesh, has Schemathesis try its API, and says what it found. */
import { parseArgs } from 'node:util';
import { startFuzzedMesh } from './fuzzed-mesh.js';
import { fuzz } from './schemathesis.js';

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

const mesh = await startFuzzedMesh();
try {
  let isFine = true;
  for (const [only, share] of [
    ['rest', seconds],
    ['last', Math.max(LEAST_SECONDS, Math.ceil(seconds / 20))],
  ] as const) {
    const { output, operations, requests, failures, errors } = await fuzz(mesh.url, { seconds: share, seed, only });
    process.stdout.write(
      `${output}\n${requests} requests to ${operations.tested} of ${operations.selected} operations in ${share} s, ` +
        `${failures.length} kinds of failure, ${errors.length} kinds of error\n`,
    );
    isFine &&= failures.length + errors.length === 0 && operations.tested === operations.selected;
  }
  process.exitCode = isFine ? 0 : 1;
} finally {
  await mesh.close();
}
