import { withExemplar } from './exemplars.js';

const MEDIA_TYPE = 'application/openmetrics-text';
export const OPEN_METRICS_TYPE = `${MEDIA_TYPE}; version=1.0.0; charset=utf-8`;

/** Whether a scraper asks for OpenMetrics. @param accept its header of that name. */
export const wantsOpenMetrics = (accept: string): boolean => accept.toLowerCase().includes(MEDIA_TYPE);

/**
 * Prometheus text as OpenMetrics 1.0 has it: a counter is declared without the `_total` that its samples carry, nothing is
 * blank, buckets carry the trace of an observation, and the end is marked. prom-client can write it too, but renames its counters for good when it does.
 */
export function asOpenMetrics(prometheusText: string): string {
  const counters = new Set([...prometheusText.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name]) => name!));
  const lines = prometheusText.split('\n').filter((line) => line !== '');
  return [...lines.map((line) => lineOf(line, counters)), '# EOF', ''].join('\n');
}

function lineOf(line: string, counters: ReadonlySet<string>): string {
  const declared = /^# (HELP|TYPE) (\S+)(.*)$/s.exec(line);
  if (declared) {
    const [, kind, name = '', rest = ''] = declared;
    const family = counters.has(name) ? name.replace(/_total$/, '') : name;
    return `# ${kind} ${family}${kind === 'HELP' ? rest.replaceAll('"', String.raw`\"`) : rest}`;
  }
  const name = /^[\w:]+/.exec(line)?.[0] ?? '';
  if (counters.has(name) && !name.endsWith('_total')) return `${name}_total${line.slice(name.length)}`;
  return withExemplar(line);
}
