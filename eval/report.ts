import { averagePrecision, ndcgAt, recallAt } from './metrics.js';
import type { DatasetQuery } from './dataset.js';

/** Means over all judged queries of one configuration. */
export interface ModeReport {
  /** Name of the configuration. */
  readonly mode: string;
  readonly queries: number;
  readonly 'ndcg@10': number;
  readonly map: number;
  readonly 'recall@100': number;
  /** Median time of a search as the caller sees it. */
  readonly p50_ms: number;
}

export interface Ranking {
  readonly query: DatasetQuery;
  readonly ranked: readonly string[];
  readonly milliseconds: number;
}

export const METRICS = ['ndcg@10', 'map', 'recall@100'] as const;

/** A floor given as `mode.metric=value`, such as `lexical.ndcg@10=.679`. */
export interface Threshold {
  readonly mode: string;
  readonly metric: (typeof METRICS)[number];
  readonly value: number;
}

export function summarise(mode: string, rankings: readonly Ranking[]): ModeReport {
  const mean = (valueOf: (ranking: Ranking) => number) =>
    rankings.reduce((sum, ranking) => sum + valueOf(ranking), 0) / Math.max(1, rankings.length);
  const times = rankings.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  return {
    mode,
    queries: rankings.length,
    'ndcg@10': mean(({ ranked, query }) => ndcgAt(10, ranked, query.judgements)),
    map: mean(({ ranked, query }) => averagePrecision(ranked, query.judgements)),
    'recall@100': mean(({ ranked, query }) => recallAt(100, ranked, query.judgements)),
    p50_ms: times[Math.floor(times.length / 2)] ?? 0,
  };
}

/** One line per configuration, columns aligned. */
export function asTable(reports: readonly ModeReport[]): string {
  const header = ['configuration', 'queries', ...METRICS, 'p50 ms'];
  const rows = reports.map((report) => [
    report.mode,
    String(report.queries),
    ...METRICS.map((metric) => report[metric].toFixed(4)),
    report.p50_ms.toFixed(1),
  ]);
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)));
  const asLine = (cells: readonly string[]) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return [header, ...rows].map(asLine).join('\n');
}

/** @throws Error naming the flag when it is not `mode.metric=value` with a known metric. */
export function parseThreshold(flag: string): Threshold {
  const [, mode, metric, value] = /^(\w+)\.([\w@]+)=(\d*\.?\d+)$/.exec(flag) ?? [];
  const known = METRICS.find((name) => name === metric);
  if (!mode || !known)
    throw new Error(`--min ${flag}: expected mode.metric=value with a metric of ${METRICS.join(', ')}.`);
  return { mode, metric: known, value: Number(value) };
}

/** One sentence per floor that was not reached, or whose mode was not measured. */
export function failures(reports: readonly ModeReport[], thresholds: readonly Threshold[]): string[] {
  return thresholds.flatMap(({ mode, metric, value }) => {
    const measured = reports.find((report) => report.mode === mode)?.[metric];
    if (measured === undefined) return [`${mode}.${metric} was not measured; ${value} is required.`];
    return measured < value ? [`${mode}.${metric} is ${measured.toFixed(4)}; ${value} is required.`] : [];
  });
}
