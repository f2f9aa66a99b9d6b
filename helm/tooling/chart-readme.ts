import { format } from 'prettier';
import type { DocumentedValue } from './documented-values.js';

/** What a README says of a chart. */
export interface ChartPage {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Further sections in front of the values. */
  readonly text: string;
  readonly values: readonly DocumentedValue[];
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

function row({ path, fallback, description }: DocumentedValue): string {
  return `| \`${path}\` | \`${cell(JSON.stringify(fallback))}\` | ${cell(description)} |`;
}

/** The README of a chart: what it is, and every value with its default and meaning. */
export async function chartReadme({ name, version, description, text, values }: ChartPage): Promise<string> {
  const table = ['| Value | Default | Meaning |', '|---|---|---|', ...values.map(row)].join('\n');
  const page = `# ${name}\n\n${description}\n\nChart version ${version}. Made by \`npm run docs\` from \`values.yaml\`.\n\n${text}\n\n## Values\n\n${table}\n`;
  return format(page, { parser: 'markdown', printWidth: 140 });
}
