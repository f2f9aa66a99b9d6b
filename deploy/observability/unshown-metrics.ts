import type { MetricName } from '@ragmesh/observability';

/** Metrics that no dashboard shows, each with the reason. */
export const unshownMetrics: Partial<Record<MetricName, string>> = {};
