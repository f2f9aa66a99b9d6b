import { limitExceeded, type DocumentText } from '../document-text.js';
import { coreTitle, mainPartOf, relationshipsOf } from '../office-package.js';
import { readXml } from '../xml-reader.js';
import type { ZipArchive } from '../zip-archive.js';
import type { Converter } from './converter.js';
import { isHeader, rowText } from './row-text.js';
import { columnOf, sharedStrings, unescaped } from './xlsx-cells.js';
import { timeStyles, timeText, type TimeFormat } from './xlsx-dates.js';

/** Excel's OOXML (ECMA-376 part 1, §18): each sheet is a heading and its rows, with the values last computed. */
export const convertXlsx: Converter<ZipArchive> = async (archive, output, limits) => {
  const main = await mainPartOf(archive, 'xl/workbook.xml');
  const relationships = await relationshipsOf(archive, main);
  const partOf = (type: string) => [...relationships.values()].find((part) => part.type === type)?.target ?? '';
  const strings = await sharedStrings(archive, partOf('sharedStrings'));
  const styles = await timeStyles(archive, partOf('styles'));
  const sheets: { name: string; part: string }[] = [];
  let from1904 = false;
  await readXml(archive, main, {
    open(element, attributes) {
      if (element === 'workbookPr') from1904 = /^(?:1|true)$/.test(attributes.date1904 ?? '');
      const part = element === 'sheet' && relationships.get(attributes['r:id'] ?? '')?.target;
      if (part) sheets.push({ name: unescaped(attributes.name ?? ''), part });
    },
  });
  if (sheets.length > limits.maxPages) throw limitExceeded('pages', limits.maxPages);
  for (const [index, { name, part }] of sheets.entries()) {
    const rows = new SheetRows(output, name, index + 1);
    await readSheet(archive, part, { strings, styles, from1904 }, rows);
    rows.end();
  }
  return { title: await coreTitle(archive), pages: sheets.length };
};

const rowsPerBlock = 1000;

/** Collects rows into blocks; the first row becomes the header when it looks like one. */
class SheetRows {
  private first: string[] | null = null;
  private header: string[] | null = null;
  private lines: string[] = [];
  private seen = 0;

  constructor(
    private readonly output: DocumentText,
    private readonly name: string,
    private readonly page: number,
  ) {}

  add(row: string[]): void {
    if (row.every((cell) => cell.trim() === '')) return;
    this.seen += 1;
    if (this.seen === 1) {
      this.output.add('heading', this.name, { level: 1, page: this.page });
      this.first = row;
      return;
    }
    if (this.first) this.settleHeader(row);
    this.lines.push(rowText(row, this.header));
    if (this.lines.length >= rowsPerBlock) this.flush();
  }

  end(): void {
    if (this.first) this.settleHeader(undefined);
    this.flush();
  }

  private settleHeader(next: string[] | undefined): void {
    if (this.first && isHeader(this.first, next)) this.header = this.first;
    else if (this.first) this.lines.push(rowText(this.first, null));
    this.first = null;
  }

  private flush(): void {
    this.output.add('table', this.lines.splice(0).join('\n'), { page: this.page });
  }
}

interface Lookup {
  readonly strings: readonly string[];
  readonly styles: readonly (TimeFormat | undefined)[];
  readonly from1904: boolean;
}

interface Cell {
  readonly column: number;
  readonly type: string;
  readonly time?: TimeFormat;
  value: string;
}

/** A sheet has at most 16,384 columns; more come from a hostile reference. */
const maxColumns = 16_384;

async function readSheet(archive: ZipArchive, part: string, lookup: Lookup, rows: SheetRows): Promise<void> {
  let row: string[] = [];
  let cell: Cell = { column: 0, type: '', value: '' };
  let inValue = false;
  await readXml(archive, part, {
    open(name, attributes) {
      if (name === 'row') row = [];
      inValue = name === 'v' || name === 't';
      if (name !== 'c') return;
      const column = columnOf(attributes.r ?? '');
      const time = lookup.styles[Number(attributes.s)];
      cell = { column: column < 0 ? row.length : column, type: attributes.t ?? 'n', time, value: '' };
    },
    text: (text) => {
      if (inValue) cell.value += text;
    },
    close(name) {
      inValue = false;
      if (name === 'row') rows.add(row);
      if (name !== 'c' || cell.column >= maxColumns) return;
      while (row.length < cell.column) row.push('');
      row[cell.column] = cellText(cell, lookup);
    },
  });
}

function cellText({ type, time, value }: Cell, { strings, from1904 }: Lookup): string {
  if (type === 's') return strings[Number(value)] ?? '';
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE';
  if (type === 'n' && time && value !== '') return timeText(Number(value), time, from1904);
  return unescaped(value);
}
