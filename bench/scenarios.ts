import { benchBatching } from './batching.js';
import type { BenchInput } from './bench-input.js';
import { benchConcurrentStreams } from './concurrent-streams.js';
import { benchFairness } from './fairness.js';
import { benchIndexScale } from './index-scale.js';
import type { Report } from './report.js';
import { benchShedding } from './shedding.js';
import { benchSoak } from './soak.js';
import { benchIngestion, benchSpine } from './standalone.js';

type Scenario = (report: Report, input: BenchInput) => Promise<void>;

/** Scenarios of one process, by the name `--scenario` knows them by; each starts what it needs and stops it. */
const scenarios = {
  spine: benchSpine,
  s1: benchIngestion,
  s2: benchSpine,
  s3: benchConcurrentStreams,
  s4: benchIndexScale,
  s5: benchIndexScale,
  batch: benchBatching,
  shed: benchShedding,
  fairness: benchFairness,
  soak: benchSoak,
} as const satisfies Record<string, Scenario>;

type Name = keyof typeof scenarios;

/** What is measured unless one asks for something else: minutes, not tens of them. */
const STANDARD: readonly Name[] = ['spine', 's1', 's3', 's4', 'batch', 'shed'];

/**
 * The scenarios of a comma-separated list, the standard set when there is none; one that two names stand for runs once.
 *
 * @throws Error naming what is unknown.
 */
export function scenariosNamed(list: string | undefined): Set<Scenario> {
  const names = list?.split(',').map((name) => name.trim()) ?? STANDARD;
  const known = Object.keys(scenarios);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--scenario must be among ${known.join(', ')}, not "${unknown}".`);
  return new Set(names.map((name) => scenarios[name as Name]));
}

/** Names of the scenarios that are not among the chosen ones. */
export const leftOut = (chosen: ReadonlySet<Scenario>): string[] =>
  Object.entries(scenarios)
    .filter(([, scenario]) => !chosen.has(scenario))
    .map(([name]) => name);
