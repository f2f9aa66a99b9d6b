import type { AnyConfigDefinition } from './config-definition.js';
import { secretFileName } from './secret-file.js';
import type { Variable } from './variable.js';

function defaultOf({ spec }: Variable<unknown>): string {
  if (spec.isOptional && spec.fallback === undefined) return '';
  if (spec.fallback === undefined) return '**required**';
  return spec.isSecret ? '(secret)' : `\`${spec.fallback}\``;
}

const shownName = (name: string, { spec }: Variable<unknown>): string =>
  spec.isSecret ? `\`${name}\` or \`${secretFileName(name)}\`` : `\`${name}\``;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The definition as a Markdown table for `CONFIGURATION.md`: name, type, default, meaning. */
export function configTable(definition: AnyConfigDefinition): string {
  const rows = Object.entries(definition.variables).map(([name, variable]) =>
    [shownName(name, variable), variable.spec.kind, defaultOf(variable), variable.spec.description]
      .map(cell)
      .join(' | '),
  );
  return ['| Name | Type | Default | Meaning |', '|---|---|---|---|', ...rows.map((row) => `| ${row} |`), ''].join(
    '\n',
  );
}
