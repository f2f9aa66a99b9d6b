import { renderMetrics } from '@ragmesh/observability';

/** Samples of a metric of this process, as an operator's Prometheus gets them, by their labels. */
export async function samplesOf(metric: string): Promise<Record<string, number>> {
  const lines = (await renderMetrics()).body.split('\n').filter((line) => line.startsWith(`${metric}{`));
  const samples = lines.map((line) => line.slice(metric.length).split(/ (?=[^ ]+$)/));
  return Object.fromEntries(samples.map(([labels, value]) => [labels!, Number(value)]));
}
