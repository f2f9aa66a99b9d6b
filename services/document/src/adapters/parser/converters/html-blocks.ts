import type { Handler } from 'htmlparser2';
import type { BlockKind } from '../../../domain/parsed-document.js';
import type { DocumentText } from '../document-text.js';
import { isArticle, isForm, isHidden, isMain, isNavigation, words, type HtmlScope } from './html-scope.js';

const breaking = words(
  'address article aside blockquote body dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 ' +
    'header hr html li main nav ol p pre section summary table ul caption',
);
const voids = words('area base br col embed hr img input link meta source track wbr');

/** Turns the tag stream of a page into blocks. Keeps counters instead of a tree, so nesting costs nothing here. */
export class HtmlBlocks implements Partial<Handler> {
  title: string | null = null;
  private text = '';
  private skipDepth = 0;
  private mainDepth = 0;
  private inTitle = false;
  private preDepth = 0;
  private listDepth = 0;
  private tableDepth = 0;
  private rows: string[] = [];
  private cells: string[] = [];

  constructor(
    private readonly output: DocumentText,
    private readonly scope: HtmlScope,
  ) {}

  onopentag(name: string, attributes: Record<string, string>): void {
    if (name === 'title' && this.title === null) this.inTitle = true;
    if (voids.has(name)) return this.openVoid(name);
    if (this.skipDepth > 0 || this.isSkipped(name, attributes)) {
      this.skipDepth += 1;
      return;
    }
    if (breaking.has(name)) this.flush('paragraph');
    if (this.mainDepth > 0 || isMain(name, attributes) || isArticle(name)) this.mainDepth += 1;
    if (name === 'pre') this.preDepth += 1;
    if (name === 'li') this.listDepth += 1;
    if (name === 'table') this.tableDepth += 1;
  }

  ontext(text: string): void {
    if (this.inTitle) this.title = `${this.title ?? ''}${text}`.slice(0, 500);
    if (this.skipDepth > 0 || (this.scope.onlyMain && this.mainDepth === 0)) return;
    this.text += text;
  }

  onclosetag(name: string): void {
    if (name === 'title') this.closeTitle();
    if (voids.has(name)) return;
    if (this.skipDepth > 0) {
      this.skipDepth -= 1;
      return;
    }
    this.closeBlock(name);
    if (this.mainDepth > 0) this.mainDepth -= 1;
    if (name === 'pre') this.preDepth -= 1;
    if (name === 'li') this.listDepth -= 1;
  }

  onend(): void {
    this.flush('paragraph');
    if (this.rows.length > 0) this.output.add('table', this.rows.join('\n'));
  }

  private openVoid(name: string): void {
    if (this.skipDepth > 0) return;
    if (name === 'br') this.text += this.tableDepth > 0 ? ' ' : '\u0000';
    if (name === 'hr') this.flush('paragraph');
  }

  private isSkipped(name: string, attributes: Record<string, string>): boolean {
    if (isHidden(name, attributes)) return true;
    return (this.scope.skipForms && isForm(name)) || (this.scope.skipNavigation && isNavigation(name, attributes));
  }

  private closeTitle(): void {
    this.inTitle = false;
    this.title = this.title?.replace(/\s+/g, ' ').trim().toWellFormed() || null;
  }

  private closeBlock(name: string): void {
    const level = /^h([1-6])$/.exec(name)?.[1];
    if (name === 'td' || name === 'th') this.cells.push(this.takeText());
    else if (name === 'tr') this.closeRow();
    else if (name === 'table') this.closeTable();
    else if (level && this.tableDepth === 0) this.flushHeading(Number(level));
    else if (breaking.has(name)) this.flush(name === 'pre' ? 'code' : 'paragraph');
  }

  private closeRow(): void {
    const row = this.cells.splice(0).filter(Boolean).join(' | ');
    if (row) this.rows.push(row);
  }

  private closeTable(): void {
    this.closeRow();
    this.tableDepth -= 1;
    if (this.tableDepth === 0) this.output.add('table', this.rows.splice(0).join('\n'));
  }

  private flushHeading(level: number): void {
    const text = this.takeText();
    this.output.add('heading', text.replace(/\s+/g, ' '), { level });
  }

  /** Inside a table a block only separates words: the row is what belongs together. */
  private flush(kind: BlockKind): void {
    if (this.tableDepth > 0) {
      if (this.text) this.text += ' ';
      return;
    }
    if (this.preDepth > 0) {
      if (kind === 'code') this.output.add('code', this.text.replaceAll('\u0000', '\n'));
      if (kind === 'code') this.text = '';
      return;
    }
    const text = this.takeText();
    if (text && this.listDepth > 0) this.output.add('list', `- ${text}`);
    else this.output.add(kind, text);
  }

  /** White space collapses as a browser shows it; NUL stands for a line break, since the source cannot contain one. */
  private takeText(): string {
    const text = this.text.replace(/[ \t\r\n\f]+/g, ' ').replace(/ ?\u0000 ?/g, '\n').trim(); // prettier-ignore
    this.text = '';
    return text;
  }
}
