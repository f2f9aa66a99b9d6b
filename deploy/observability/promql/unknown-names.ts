import { recordedLabels, recordedNames } from '../slo/recordings.js';
import { metricFamilies, targetLabels, type MetricFamily } from './metric-families.js';
import { referencesOf } from './references.js';

const histogramParts = ['_bucket', '_sum', '_count'];

/** The metric a series belongs to: `x_bucket` is part of the histogram `x`. */
export function familyNameOf(series: string): string {
  const part = histogramParts.find((suffix) => series.endsWith(suffix));
  const base = part ? series.slice(0, -part.length) : series;
  return metricFamilies[base]?.type === 'histogram' ? base : series;
}

function labelsOf(series: string): readonly string[] | undefined {
  if (recordedNames.includes(series)) return recordedLabels;
  const name = familyNameOf(series);
  const family: MetricFamily | undefined = metricFamilies[name];
  if (!family || (family.type === 'histogram' && name === series)) return undefined;
  return [...family.labels, ...targetLabels, ...(series.endsWith('_bucket') ? ['le'] : [])];
}

/** Each metric or label in `expression` that neither the code nor a recording rule has, as a sentence. */
export function unknownNames(expression: string): string[] {
  const { series, grouping } = referencesOf(expression);
  const faults = series.flatMap(({ name, labels }) => {
    const known = labelsOf(name);
    if (!known) return [`There is no metric ${name}.`];
    return labels.filter((label) => !known.includes(label)).map((label) => `${name} has no label ${label}.`);
  });
  const anywhere = new Set(series.flatMap(({ name }) => labelsOf(name) ?? []));
  return [
    ...faults,
    ...grouping.filter((label) => !anywhere.has(label)).map((label) => `Nothing has a label ${label}.`),
  ];
}
