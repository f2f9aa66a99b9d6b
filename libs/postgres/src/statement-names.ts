/** Statements kept prepared at most, per process; further ones are planned each time they run. */
const MAX_NAMES = 1_000;

const names = new Map<string, string>();

/**
 * The name a statement is prepared under, once per connection: the server parses and plans it a single time. A program
 * has a fixed set of texts; should texts be made up at run time after all, they go unnamed instead of filling the server's memory.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MAX_NAMES) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}
