import { readFile, writeFile } from 'node:fs/promises';
import { METRICS, type ModeReport } from './report.js';

type Metric = (typeof METRICS)[number];

/** Figures that must not be lost, by dataset and configuration. */
export interface Baseline {
  /** Largest drop of a metric that counts as noise. */
  readonly tolerance: number;
  readonly datasets: Readonly<Record<string, Readonly<Record<string, Readonly<Partial<Record<Metric, number>>>>>>>;
}

const EMPTY: Baseline = { tolerance: 0.005, datasets: {} };

/** @throws Error naming the file when it is not there or no baseline. */
export async function readBaseline(file: string): Promise<Baseline> {
  const baseline = JSON.parse(await readFile(file, 'utf8')) as Partial<Baseline>;
  if (typeof baseline.tolerance === 'number' && typeof baseline.datasets === 'object') return baseline as Baseline;
  throw new Error(`${file} is no baseline: it needs "tolerance" and "datasets".`);
}

/**
 * One sentence for each metric that fell by more than the tolerance, and for each configuration that was to be compared and
 * was not measured or is not in the baseline.
 * @param wanted configurations to compare.
 */
export function drops(
  baseline: Baseline,
  dataset: string,
  reports: readonly ModeReport[],
  wanted: readonly string[],
): string[] {
  const known = baseline.datasets[dataset];
  if (!known) return [`The baseline has no dataset ${dataset}.`];
  return wanted.flatMap((name) => {
    const before = known[name];
    const now = reports.find(({ mode }) => mode === name);
    if (!before) return [`The baseline of ${dataset} has no configuration ${name}.`];
    if (!now) return [`${dataset} ${name} was not measured.`];
    return METRICS.flatMap((metric) => dropOf(metric, before[metric] ?? 0, now[metric], baseline.tolerance)).map(
      (drop) => `${dataset} ${name} ${drop}`,
    );
  });
}

function dropOf(metric: Metric, before: number, now: number, tolerance: number): string[] {
  const drop = before - now;
  if (drop <= tolerance) return [];
  const [was, is, by] = [before, now, drop].map((value) => value.toFixed(4));
  return [`${metric} dropped by ${by}, from ${was} to ${is}; ${tolerance} is tolerated.`];
}

/** The baseline with what was measured now; other datasets, configurations and the tolerance stay. */
export function withReports(baseline: Baseline, dataset: string, reports: readonly ModeReport[]): Baseline {
  const rounded = (report: ModeReport) =>
    Object.fromEntries(METRICS.map((metric) => [metric, Number(report[metric].toFixed(4))]));
  const measured = Object.fromEntries(reports.map((report) => [report.mode, rounded(report)]));
  const figures = { ...baseline.datasets[dataset], ...measured };
  return { ...baseline, datasets: { ...baseline.datasets, [dataset]: figures } };
}

/** Writes what was measured now into a baseline file, which need not be there. */
export async function updateBaseline(file: string, dataset: string, reports: readonly ModeReport[]): Promise<void> {
  const before = await readBaseline(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return EMPTY;
    throw error;
  });
  await writeFile(file, `${JSON.stringify(withReports(before, dataset, reports), null, 2)}\n`);
}
