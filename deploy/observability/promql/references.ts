/** What an expression names: each series with the labels it is matched by, and the labels results are grouped by. */
export interface References {
  readonly series: readonly { readonly name: string; readonly labels: readonly string[] }[];
  readonly grouping: readonly string[];
}

const groupings = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const words = new Set([...groupings, 'and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan']);
const TOKEN = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\[[^\]]*\]|\d[\w.]*|[a-zA-Z_:][\w:]*|[=!<>]=|[=!]~|\S/g;

const isName = (token: string | undefined): boolean => token !== undefined && /^[a-zA-Z_:]/.test(token);

/** `sum (…)` as well as `sum by (…) (…)`. */
const isCall = (next: string | undefined): boolean => next === '(' || next === 'by' || next === 'without';

/** Names between the bracket at `start` and its partner, without what is quoted. */
function namesInside(tokens: readonly string[], start: number, close: string): { names: string[]; end: number } {
  const end = tokens.indexOf(close, start);
  if (end < 0) throw new Error(`"${close}" is missing in: ${tokens.join(' ')}`);
  return { names: tokens.slice(start + 1, end).filter(isName), end };
}

/** Reads PromQL as far as names go; `promtool` says whether it is well formed. */
export function referencesOf(expression: string): References {
  const tokens = expression.match(TOKEN) ?? [];
  const series: { name: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]!;
    if (!isName(token)) continue;
    const next = tokens[at + 1];
    if (groupings.has(token)) {
      if (next !== '(') continue;
      const { names, end } = namesInside(tokens, at + 1, ')');
      grouping.push(...names);
      at = end;
    } else if (next === '{') {
      const { names, end } = namesInside(tokens, at + 1, '}');
      series.push({ name: token, labels: names });
      at = end;
    } else if (!isCall(next) && !words.has(token.toLowerCase())) {
      series.push({ name: token, labels: [] });
    }
  }
  return { series, grouping };
}
