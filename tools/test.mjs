/**
 * `npm test`: build, checks and every suite, all of them even after a failure. Ends with one line, `N passed, N failed`,
 * where each check counts as one test. `--fail-on-skip` counts skipped tests as failed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from './scratch-folder.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const failOnSkip = process.argv.includes('--fail-on-skip');
const jestArguments = process.argv.slice(2).filter((argument) => argument !== '--fail-on-skip');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const path = [dirname(process.execPath), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
const scratch = scratchFolder();
const environment = { ...process.env, PATH: path, ...(scratch && { TMPDIR: scratch }) };
const total = { passed: 0, failed: 0 };

function run(program, args, stdio) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(program, args, { cwd: root, env: environment, stdio });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => resolve({ ok: code === 0, output, seconds: (performance.now() - started) / 1000 }));
  });
}

async function check(name, program, args) {
  const { ok, output, seconds } = await run(program, args, ['ignore', 'pipe', 'pipe']);
  total[ok ? 'passed' : 'failed'] += 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`);
  if (!ok) console.log(output.trimEnd());
}

/** A suite that could not even be loaded has no tests to count, so it counts as one failure itself. */
function countSuites(report) {
  const suitesThatDidNotRun = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests + suitesThatDidNotRun.length;
  const skipped = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'pending' || status === 'todo'),
  );
  for (const { fullName } of skipped) console.log(`SKIPPED ${fullName}`);
  if (failOnSkip) total.failed += skipped.length;
}

async function runSuites() {
  const reportFile = join(root, '.cache', 'jest.json');
  mkdirSync(dirname(reportFile), { recursive: true });
  rmSync(reportFile, { force: true });
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const report = ['--json', `--outputFile=${reportFile}`, '--forceExit'];
  await run(process.execPath, [...jest, ...report, ...jestArguments], ['ignore', 'ignore', 'inherit']);
  if (existsSync(reportFile)) countSuites(JSON.parse(readFileSync(reportFile, 'utf8')));
  else total.failed += 1;
}

await check('build', process.execPath, ['tools/build.mjs']);
await Promise.all([
  check('types', process.execPath, ['node_modules/@typescript/native/bin/tsc', '-p', 'tsconfig.json']),
  check('lint and boundaries', bin('eslint'), ['.', '--max-warnings', '0']),
]);
await Promise.all([
  check('format', bin('prettier'), ['--check', '--log-level', 'warn', '**/*.{ts,js,mjs,cjs}']),
  check('contracts (buf lint)', bin('buf'), ['lint', 'proto']),
  check('documentation', process.execPath, ['tools/docs.mjs', '--check']),
]);
// Without a baseline buf fails, and so does the check: contracts that nobody compares may break unseen.
await check('contracts (buf breaking)', bin('buf'), ['breaking', 'proto', '--against', 'proto/baseline.binpb']);
await runSuites();
process.exitCode = total.failed === 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);
