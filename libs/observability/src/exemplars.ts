import { TraceFlags, trace } from '@opentelemetry/api';
import type { Histogram } from 'prom-client';

interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Unix time in seconds. */
  readonly at: number;
}

type Labels = Readonly<Record<string, string | number>>;

/** The latest exemplar of each bucket, by family and then by the bucket's labels. */
const latest = new Map<string, Map<string, Exemplar>>();

/**
 * Makes a histogram remember, for each of its buckets, the trace of the observation it took last, so that a slow bucket leads
 * to a slow request. Only traces that are recorded, since others lead nowhere. prom-client can keep exemplars itself, but
 * then takes observations in another shape and refuses the Prometheus format.
 *
 * @param bounds upper bounds of its buckets, ascending.
 */
export function keepExemplars(name: string, histogram: Histogram, bounds: readonly number[]): void {
  const kept = new Map<string, Exemplar>();
  latest.set(name, kept);
  const observe = histogram.observe.bind(histogram) as (labels: Labels, value: number) => void;
  histogram.observe = (labels: unknown, given?: number) => {
    const [own, value] = given === undefined ? [{}, labels as number] : [labels as Labels, given];
    observe(own, value);
    const span = trace.getActiveSpan()?.spanContext();
    if (!span || (span.traceFlags & TraceFlags.SAMPLED) === 0) return;
    const bound = bounds.find((each) => value <= each);
    const le = bound === undefined ? '+Inf' : String(bound);
    kept.set(keyOf({ ...own, le }), { traceId: span.traceId, value, at: Date.now() / 1000 });
  };
}

const BUCKET = /^([\w:]+)_bucket\{(.*)\} \S+$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** A line of OpenMetrics with its exemplar, when it is a bucket that has one. */
export function withExemplar(line: string): string {
  const [, family, labels] = BUCKET.exec(line) ?? [];
  const kept = family === undefined ? undefined : latest.get(family);
  if (!kept || kept.size === 0) return line;
  const pairs = [...labels!.matchAll(LABEL)].map(([, name, value]) => [name!, value!] as const);
  const exemplar = kept.get(keyOf(Object.fromEntries(pairs)));
  if (!exemplar) return line;
  return `${line} # {trace_id="${exemplar.traceId}"} ${exemplar.value} ${exemplar.at}`;
}

const keyOf = (labels: Labels): string =>
  Object.keys(labels)
    .toSorted()
    .map((name) => `${name}=${labels[name]}`)
    .join('\n');
