import type { Converter } from './converter.js';
import { withExactNumbers } from './exact-numbers.js';
import { convertText } from './text.converter.js';

/** A value still to be written, with the path that leads to it. */
interface Pending {
  readonly path: string;
  readonly value: unknown;
}

/** Leaves per block: enough for a chunk or more, few enough to keep neighbours together. */
const leavesPerBlock = 200;

/**
 * Every leaf becomes a line `path.to.leaf: value`, so a passage keeps its names wherever it is cut; numbers keep every
 * digit. JSON Lines are read value by value; what is no JSON at all is kept as plain text.
 */
export const convertJson: Converter<string> = async (source, output, limits) => {
  const values = valuesOf(source);
  if (!values) return convertText(source, output, limits);
  let lines: string[] = [];
  for (const value of values) {
    for (const line of leaves(value)) {
      if (lines.push(line) < leavesPerBlock) continue;
      output.add('list', lines.join('\n'));
      lines = [];
    }
    if (values.length > 1) output.add('list', lines.splice(0).join('\n'));
  }
  output.add('list', lines.join('\n'));
  return { title: null, pages: null };
};

function valuesOf(source: string): unknown[] | null {
  try {
    return [exactValue(source)];
  } catch {
    try {
      return source.split('\n').filter((line) => line.trim()).map(exactValue); // prettier-ignore
    } catch {
      return null;
    }
  }
}

function exactValue(source: string): unknown {
  const exact = withExactNumbers(source);
  if (exact !== source) JSON.parse(source); // a quoted number might mend what was no JSON
  return JSON.parse(exact);
}

/** Depth first with its own stack: deep nesting must not overflow the call stack. */
function* leaves(root: unknown): Generator<string> {
  const stack: Pending[] = [{ path: '', value: root }];
  for (let pending = stack.pop(); pending; pending = stack.pop()) {
    const { path, value } = pending;
    if (typeof value !== 'object' || value === null) {
      const text = String(value).trim();
      if (text) yield path ? `${path}: ${text}` : text;
      continue;
    }
    const children = Array.isArray(value)
      ? value.map((item, index) => ({ path: `${path}[${index}]`, value: item as unknown }))
      : Object.entries(value).map(([key, item]) => ({ path: path ? `${path}.${key}` : key, value: item as unknown }));
    for (const child of children.reverse()) stack.push(child);
  }
}
