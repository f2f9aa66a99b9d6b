import { logFields } from './log-field-catalogue.js';
import { metricCatalogue } from './metric-catalogue.js';
import { spanCatalogue } from './span-catalogue.js';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

/** Every metric, as Markdown. */
export const metricTable = (): string =>
  table(
    ['Metric', 'Type', 'Labels', 'Meaning'],
    Object.entries(metricCatalogue).map(([name, { type, labels, help }]) => [`\`${name}\``, type, code(labels), help]),
  );

/** Every kind of span, as Markdown. */
export const spanTable = (): string =>
  table(
    ['Span', 'Kind', 'Made by', 'Attributes'],
    spanCatalogue.map(({ name, kind, madeBy, attributes }) => [`\`${name}\``, kind, madeBy, code(attributes)]),
  );

/** Every field of a log line, as Markdown. */
export const logFieldTable = (): string =>
  table(
    ['Field', 'Meaning'],
    Object.entries(logFields).map(([name, meaning]) => [`\`${name}\``, meaning]),
  );
