import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isProven, modes, type Fault, type Mode } from './fault.js';
import { faultMatrix } from './fault-matrix.js';
import { keyOf, readResults, table, writeResults, writeTable, type LastOutcome } from './results.js';
import { SpecRuns } from './run-specs.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const resultsFile = fileURLToPath(new URL('results.json', import.meta.url));
const readme = fileURLToPath(new URL('README.md', import.meta.url));

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    mode: { type: 'string' },
    table: { type: 'boolean', default: false },
  },
});

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

function chosenFaults(): readonly Fault[] {
  if (values.rows === undefined) return faultMatrix;
  const rows = values.rows.split(',').map(Number);
  const unknown = rows.filter((row) => !faultMatrix.some((fault) => fault.row === row));
  if (unknown.length > 0) fail(`--rows takes numbers from 1 to ${faultMatrix.at(-1)!.row}, separated by commas.`);
  return faultMatrix.filter(({ row }) => rows.includes(row));
}

function chosenModes(): readonly Mode[] {
  if (values.mode === undefined) return modes;
  const mode = modes.find((each) => each === values.mode);
  return mode ? [mode] : fail(`--mode is ${modes.join(' or ')}.`);
}

/** Keeps an outcome, in the order of the rows; another run may have written others meanwhile. */
function keep(key: string, outcome: LastOutcome): void {
  const results = { ...readResults(resultsFile), [key]: outcome };
  const keys = faultMatrix.flatMap((fault) => modes.map((mode) => keyOf(fault, mode)));
  writeResults(resultsFile, Object.fromEntries(keys.flatMap((each) => (results[each] ? [[each, results[each]]] : []))));
}

/** Runs what shows the chosen rows, and keeps and says each outcome once it is known. @returns whether nothing failed. */
async function prove(): Promise<boolean> {
  const [faults, inModes] = [chosenFaults(), chosenModes()];
  const cells = faults.flatMap((fault) => inModes.map((mode) => ({ fault, mode, evidence: fault[mode] })));
  const runs = new SpecRuns(
    root,
    say,
    cells.map(({ evidence }) => evidence),
  );
  const day = new Date().toISOString().slice(0, 10);
  let isFine = true;
  for (const { fault, mode, evidence } of cells) {
    const place = `${String(fault.row).padStart(2)} ${mode.padEnd(10)}`;
    if (!isProven(evidence)) {
      say(`${place} ${evidence.kind}: ${evidence.why}`);
      continue;
    }
    const outcome = await runs.outcomeOf(evidence);
    keep(keyOf(fault, mode), { ...outcome, day });
    isFine &&= outcome.result === 'passed';
    say(`${place} ${outcome.result} ${outcome.reason}`.trimEnd());
  }
  return isFine;
}

const isFine = values.table || (await prove());
await writeTable(readme, table(faultMatrix, readResults(resultsFile)));
process.exitCode = isFine ? 0 : 1;
