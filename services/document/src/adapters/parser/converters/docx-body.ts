import type { DocumentText } from '../document-text.js';
import { attribute, type XmlHandlers } from '../xml-reader.js';
import { valueOf } from '../office-package.js';
import { outlineLevel } from './docx-styles.js';

interface Paragraph {
  text: string;
  level?: number;
  isListItem: boolean;
}

interface Table {
  rows: string[];
  cells: string[];
  cell: string[];
}

/** Parts whose text is shown elsewhere or not at all. */
const skipped = new Set(['Fallback', 'del', 'moveFrom', 'instrText', 'delText']);

/**
 * Reads the body of a Word part: headings, lists, tables (one line per row) and paragraphs; deleted text is left out and
 * text boxes follow their paragraph. Footnotes stand right after the block that refers to them.
 */
export class DocxBody implements XmlHandlers {
  private readonly paragraphs: Paragraph[] = [];
  private readonly tables: Table[] = [];
  private pendingNotes: string[] = [];
  private skipDepth = 0;
  private inText = false;

  constructor(
    private readonly output: DocumentText,
    private readonly headingLevels: ReadonlyMap<string, number>,
    private readonly notes: ReadonlyMap<string, string>,
  ) {}

  open(name: string, attributes: Record<string, string>): void {
    if (this.skipDepth > 0 || skipped.has(name)) {
      this.skipDepth += 1;
      return;
    }
    if (name === 'p') this.paragraphs.push({ text: '', isListItem: false });
    else if (name === 'tbl') this.tables.push({ rows: [], cells: [], cell: [] });
    else if (name === 't') this.inText = true;
    else this.openInParagraph(name, attributes);
  }

  text(text: string): void {
    const paragraph = this.paragraphs.at(-1);
    if (this.inText && paragraph && this.skipDepth === 0) paragraph.text += text;
  }

  close(name: string): void {
    if (this.skipDepth > 0) {
      this.skipDepth -= 1;
      return;
    }
    if (name === 't') this.inText = false;
    else if (name === 'p') this.closeParagraph();
    else this.closeInTable(name);
  }

  private openInParagraph(name: string, attributes: Record<string, string>): void {
    const paragraph = this.paragraphs.at(-1);
    if (!paragraph) return;
    if (name === 'pStyle') paragraph.level ??= this.headingLevels.get(valueOf(attributes));
    else if (name === 'outlineLvl') paragraph.level ??= outlineLevel(valueOf(attributes));
    else if (name === 'numPr') paragraph.isListItem = true;
    else if (name === 'tab' || name === 'ptab') paragraph.text += '\t';
    else if (name === 'br' || name === 'cr') paragraph.text += '\n';
    else if (name === 'noBreakHyphen') paragraph.text += '\u2011';
    else if (name === 'footnoteReference' || name === 'endnoteReference') this.refer(paragraph, name, attributes);
  }

  private refer(paragraph: Paragraph, name: string, attributes: Record<string, string>): void {
    const note = this.notes.get(noteKey(name, attribute(attributes, 'id') ?? ''));
    if (!note) return;
    const mark = `[${attribute(attributes, 'id')}]`;
    paragraph.text += mark;
    this.pendingNotes.push(`${mark} ${note}`);
  }

  private closeParagraph(): void {
    const { text, level, isListItem } = this.paragraphs.pop() ?? { text: '', isListItem: false };
    const table = this.tables.at(-1);
    if (table) {
      if (text.trim()) table.cell.push(text);
      return;
    }
    if (level) this.output.add('heading', text.replace(/\s+/g, ' '), { level });
    else if (isListItem && text.trim()) this.output.add('list', `- ${text.trim()}`);
    else this.output.add('paragraph', text);
    this.flushNotes();
  }

  private closeInTable(name: string): void {
    const table = this.tables.at(-1);
    if (!table) return;
    if (name === 'tc') table.cells.push(table.cell.splice(0).join(' ').replace(/\s+/g, ' ').trim());
    if (name === 'tr') table.rows.push(table.cells.splice(0).join(' | '));
    if (name !== 'tbl') return;
    this.tables.pop();
    const text = table.rows.filter((row) => /[^\s|]/.test(row)).join('\n');
    const outer = this.tables.at(-1);
    if (outer) {
      if (text) outer.cell.push(text);
      return;
    }
    this.output.add('table', text);
    this.flushNotes();
  }

  private flushNotes(): void {
    for (const note of this.pendingNotes) this.output.add('paragraph', note);
    this.pendingNotes = [];
  }
}

/** Footnotes and endnotes are numbered apart. */
export const noteKey = (element: string, id: string): string => `${element.startsWith('foot') ? 'foot' : 'end'}:${id}`;
