import { parse } from 'yaml';

/** One setting of a `values.yaml`: everything below `path` belongs to it. */
export interface DocumentedValue {
  readonly path: string;
  readonly description: string;
  readonly fallback: unknown;
}

const commentLine = /^\s*# (-- )?(.*)$/;
const keyLine = /^(\s*)([\w.-]+):(.*)$/;

interface Key {
  readonly indent: number;
  readonly name: string;
}

/** The settings of a `values.yaml` in its order, each with its `# --` comment; without one its description is empty. */
export function documentedValues(text: string): DocumentedValue[] {
  const found: DocumentedValue[] = [];
  const values: unknown = parse(text);
  let parents: Key[] = [];
  let comment: string[] | undefined;
  let settingIndent = Infinity;
  for (const line of text.split('\n')) {
    const [, opens, words] = commentLine.exec(line) ?? [];
    if (words !== undefined) {
      comment = opens ? [words] : comment && [...comment, words];
      continue;
    }
    const [, space = '', name, rest = ''] = keyLine.exec(line) ?? [];
    const indent = space.length;
    if (name === undefined || indent > settingIndent) continue;
    parents = [...parents.filter((parent) => parent.indent < indent), { indent, name }];
    const isSetting = comment !== undefined || rest.trim() !== '';
    if (isSetting) found.push(settingAt(values, parents, comment ?? []));
    settingIndent = isSetting ? indent : Infinity;
    comment = undefined;
  }
  return found;
}

function settingAt(values: unknown, keys: readonly Key[], comment: readonly string[]): DocumentedValue {
  const names = keys.map(({ name }) => name);
  const fallback = names.reduce((value, name) => (value as Record<string, unknown>)[name], values);
  return { path: names.join('.'), description: comment.join(' '), fallback };
}

/** The values below one key, as if they stood at the top. */
export const below = (prefix: string, values: readonly DocumentedValue[]): DocumentedValue[] =>
  values
    .filter(({ path }) => path.startsWith(`${prefix}.`))
    .map((value) => ({ ...value, path: value.path.slice(prefix.length + 1) }));

/**
 * Own values replace imported ones of the same path, in their place; further ones come first.
 * @throws Error for a value that neither describes.
 */
export function overlay(own: readonly DocumentedValue[], imported: readonly DocumentedValue[]): DocumentedValue[] {
  const paths = new Set(imported.map(({ path }) => path));
  const values = [...own.filter(({ path }) => !paths.has(path)), ...imported.map((value) => merged(value, own))];
  const silent = values.find(({ description }) => description === '');
  if (silent) throw new Error(`${silent.path} has no comment that begins with "# --"`);
  return values;
}

function merged(value: DocumentedValue, own: readonly DocumentedValue[]): DocumentedValue {
  const found = own.find(({ path }) => path === value.path);
  return found ? { ...found, description: found.description || value.description } : value;
}
