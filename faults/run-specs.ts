import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Evidence, Proof } from './fault.js';
import { isProven } from './fault.js';

/** One test as jest reports it. */
interface Test {
  readonly fullName: string;
  readonly status: string;
}

export type Result = 'passed' | 'failed' | 'not run';

export interface Outcome {
  readonly result: Result;
  /** What failed or did not run; empty when all passed. */
  readonly reason: string;
}

/** Its tests, or undefined when the file could not be run. */
type Report = readonly Test[] | undefined;

/** No spec takes longer, not even where the machine is busy. */
const SPEC_WITHIN_MS = 25 * 60_000;

const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];

/** Names may hold what means something in a pattern. */
const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Runs the named tests of a spec file, slow ones included. */
async function runSpec(root: string, spec: string, tests: readonly string[]): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'ragmesh-fault-report-'));
  const report = join(folder, 'report.json');
  const pattern = tests.map(literally).join('|');
  const options = ['--testPathIgnorePatterns', '/node_modules/', '--forceExit', '--json', `--outputFile=${report}`];
  const child = spawn(process.execPath, [...jest, ...options, '--testNamePattern', pattern, '--runTestsByPath', spec], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: SPEC_WITHIN_MS,
  });
  await new Promise((resolve) => child.once('close', resolve));
  try {
    if (!existsSync(report)) return undefined;
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { testResults: { assertionResults: Test[] }[] };
    return testResults.flatMap(({ assertionResults }) => assertionResults);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs each spec that proofs name once, with all tests that any of them names, when the first of them is asked for. */
export class SpecRuns {
  readonly #wanted = new Map<string, Set<string>>();
  readonly #reports = new Map<string, Report>();

  /** @param evidence all that will be asked for. */
  constructor(
    private readonly root: string,
    private readonly say: (line: string) => void,
    evidence: readonly Evidence[],
  ) {
    for (const { spec, tests } of evidence.flatMap((each) => (isProven(each) ? each : [])))
      this.#wanted.set(spec, new Set([...(this.#wanted.get(spec) ?? []), ...tests]));
  }

  /** Whether these proofs hold: only when every test they name was there and passed. */
  async outcomeOf(proofs: readonly Proof[]): Promise<Outcome> {
    for (const { spec } of proofs) await this.#run(spec);
    const reasons = proofs.flatMap(({ spec, tests }) => tests.map((test) => this.#outcomeOf(spec, test)));
    const failed = reasons.filter(({ result }) => result === 'failed');
    const [worst] = failed.length > 0 ? failed : reasons.filter(({ result }) => result === 'not run');
    return worst ?? { result: 'passed', reason: '' };
  }

  async #run(spec: string): Promise<void> {
    if (this.#reports.has(spec)) return;
    const began = performance.now();
    this.#reports.set(spec, await runSpec(this.root, spec, [...(this.#wanted.get(spec) ?? [])]));
    this.say(`${spec} (${((performance.now() - began) / 1000).toFixed(0)} s)`);
  }

  #outcomeOf(spec: string, test: string): Outcome {
    const report = this.#reports.get(spec);
    if (!report) return { result: 'failed', reason: `${spec} could not be run` };
    const named = report.filter(({ fullName }) => fullName.includes(test));
    if (named.length === 0) return { result: 'failed', reason: `${spec} has no test "${test}"` };
    const bad = named.find(({ status }) => status !== 'passed');
    if (!bad) return { result: 'passed', reason: '' };
    const reason = bad.status === 'failed' ? 'fails' : 'was skipped: its server is missing here';
    return { result: bad.status === 'failed' ? 'failed' : 'not run', reason: `"${bad.fullName}" ${reason}` };
  }
}
