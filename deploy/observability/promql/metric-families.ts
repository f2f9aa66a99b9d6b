import { metricCatalogue, type MetricName, type MetricSpec } from '@ragmesh/observability';

/** What a series may be asked for: its labels, and whether it has the series of a histogram. */
export interface MetricFamily {
  readonly type: MetricSpec['type'];
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

/** Series that Prometheus makes itself. */
const fromPrometheus: Readonly<Record<string, MetricFamily>> = {
  up: { type: 'gauge', labels: [] },
  ALERTS: { type: 'gauge', labels: ['alertname', 'alertstate', 'severity'] },
};

/** Figures of the process, made by prom-client; a spec compares them with what a process really shows. */
export const processMetrics = {
  process_cpu_seconds_total: { type: 'counter', labels: [] },
  process_resident_memory_bytes: { type: 'gauge', labels: [] },
  process_start_time_seconds: { type: 'gauge', labels: [] },
  nodejs_heap_size_used_bytes: { type: 'gauge', labels: [] },
  nodejs_gc_duration_seconds: { type: 'histogram', labels: ['kind'] },
} as const satisfies Record<string, MetricFamily>;

/** Labels that scraping adds to every series; the last one comes from `prometheus.yml`. */
export const targetLabels = ['job', 'instance', 'service_name'] as const;

export type FamilyName = MetricName | keyof typeof processMetrics | 'up' | 'ALERTS';

/** Everything a dashboard or a rule may name, apart from what rules record. */
export const metricFamilies: Readonly<Record<string, MetricFamily>> = {
  ...metricCatalogue,
  ...processMetrics,
  ...fromPrometheus,
};
