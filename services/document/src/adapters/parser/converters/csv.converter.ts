import type { Converter } from './converter.js';
import { isHeader, rowText } from './row-text.js';

const delimiters = [',', ';', '\t', '|'] as const;

/** Rows a block holds at most: a block is kept in memory as one string while it is built. */
const rowsPerBlock = 1000;

/** RFC 4180 with the delimiter found from the first rows; quoted cells may hold delimiters and line breaks. */
export const convertCsv: Converter<string> = async (source, output) => {
  const delimiter = delimiterOf(source);
  const rows = rowsOf(source, delimiter);
  const first = nextRow(rows);
  const second = nextRow(rows);
  const header = first && isHeader(first, second) ? first : null;
  let lines: string[] = [];
  const add = (row: readonly string[] | undefined) => {
    if (row) lines.push(rowText(row, header));
    if (lines.length < rowsPerBlock) return;
    output.add('table', lines.join('\n'));
    lines = [];
  };
  if (!header) add(first);
  add(second);
  for (const row of rows) add(row);
  output.add('table', lines.join('\n'));
  return { title: null, pages: null };
};

const nextRow = (rows: Generator<string[]>): string[] | undefined => rows.next().value as string[] | undefined;

/** The delimiter that splits the first rows into the most equal columns. */
function delimiterOf(source: string): string {
  const head = source.slice(0, 16_384);
  const score = (delimiter: string) => {
    const widths: number[] = [];
    for (const row of rowsOf(head, delimiter)) if (widths.push(row.length) === 20) break;
    const width = widths[0] ?? 1;
    return width > 1 ? widths.filter((other) => other === width).length / widths.length + width / 10_000 : 0;
  };
  return delimiters.toSorted((a, b) => score(b) - score(a))[0]!;
}

/** Lazy rows; blank lines are left out. A quote that is never closed ends with the file. */
function* rowsOf(source: string, delimiter: string): Generator<string[]> {
  let row: string[] = [];
  for (let at = 0; at < source.length;) {
    const { cell, next } = source[at] === '"' ? quotedCell(source, at) : { cell: '', next: at };
    const end = endOfCell(source, next, delimiter);
    row.push(cell + source.slice(next, end));
    at = end + 1;
    if (source[end] === delimiter) continue;
    if (source[end] === '\r' && source[end + 1] === '\n') at += 1;
    if (row.some((value) => value.trim() !== '')) yield row;
    row = [];
  }
  if (row.some((value) => value.trim() !== '')) yield row;
}

function quotedCell(source: string, at: number): { cell: string; next: number } {
  let cell = '';
  for (let from = at + 1; ;) {
    const quote = source.indexOf('"', from);
    if (quote < 0) return { cell: cell + source.slice(from), next: source.length };
    cell += source.slice(from, quote);
    if (source[quote + 1] !== '"') return { cell, next: quote + 1 };
    cell += '"';
    from = quote + 2;
  }
}

function endOfCell(source: string, from: number, delimiter: string): number {
  let end = from;
  while (end < source.length && source[end] !== delimiter && source[end] !== '\n' && source[end] !== '\r') end += 1;
  return end;
}
