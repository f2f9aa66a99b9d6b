import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { keepExemplars } from './exemplars.js';
import { OPEN_METRICS_TYPE, asOpenMetrics, wantsOpenMetrics } from './open-metrics.js';
import { metricCatalogue, type MetricName, type MetricSpec } from './metric-catalogue.js';

type NameOf<Type> = { [K in MetricName]: (typeof metricCatalogue)[K]['type'] extends Type ? K : never }[MetricName];

const registry = new Registry();

function register(name: string, spec: MetricSpec): Counter | Gauge | Histogram {
  const common = { name, help: spec.help, labelNames: [...spec.labels], registers: [registry] };
  if (spec.type === 'counter') return new Counter(common);
  if (spec.type === 'gauge') return new Gauge(common);
  const buckets = [...(spec.buckets ?? [])];
  const made = new Histogram({ ...common, buckets });
  keepExemplars(name, made, buckets);
  return made;
}

const metrics = new Map(Object.entries(metricCatalogue).map(([name, spec]) => [name, register(name, spec)]));

/** A counter of the catalogue. All services of a process share one registry. */
export const counter = (name: NameOf<'counter'>): Counter => metrics.get(name) as Counter;
export const gauge = (name: NameOf<'gauge'>): Gauge => metrics.get(name) as Gauge;
export const histogram = (name: NameOf<'histogram'>): Histogram => metrics.get(name) as Histogram;

const loopDelay = monitorEventLoopDelay({ resolution: 10 });

/** Starts collecting figures of the process itself; once per process, however often it is called. */
export function startProcessMetrics(): void {
  if (registry.getSingleMetric('process_cpu_user_seconds_total')) return;
  collectDefaultMetrics({ register: registry });
  loopDelay.enable();
}

/**
 * All metrics as text, with the content type to send it under.
 * @param accept header of that name: OpenMetrics is given to who asks for it, Prometheus text to everybody else.
 */
export async function renderMetrics(accept = ''): Promise<{ contentType: string; body: string }> {
  gauge('ragmesh_event_loop_delay_seconds').set(loopDelay.percentile(99) / 1e9);
  loopDelay.reset();
  const body = await registry.metrics();
  if (wantsOpenMetrics(accept)) return { contentType: OPEN_METRICS_TYPE, body: asOpenMetrics(body) };
  return { contentType: registry.contentType, body };
}
