import type { DocumentText } from '../document-text.js';
import type { TextLine } from './pdf-lines.js';

interface OpenParagraph {
  text: string;
  last: TextLine;
  size: number;
  /** Rows with several cells: a table keeps its line breaks. */
  isTable: boolean;
  rows: number;
}

/** A paragraph ends where lines stand this much further apart than usual on the page, within bounds in ems. */
const looserThanUsual = 1.35;
const gapBounds = { least: 1.3, most: 2.2 };

/** Groups lines to headings, tables and paragraphs. Text is a heading when it is larger than most text seen so far. */
export class PdfParagraphs {
  private readonly charactersBySize = new Map<number, number>();

  constructor(private readonly output: DocumentText) {}

  addPage(lines: readonly TextLine[], page: number): void {
    for (const { size, text } of lines) this.count(size, text.length);
    const bodySize = this.bodySize();
    const gap = paragraphGap(lines);
    let open: OpenParagraph | null = null;
    for (const line of lines) {
      if (open && continuesRow(open, line)) {
        open.text += ` | ${line.text.trim()}`;
        open.isTable = true;
        open.last = line;
      } else if (open && continuesParagraph(open, line, gap)) {
        open.text = open.isTable ? `${open.text}\n${line.text.trim()}` : joinLines(open.text, line.text);
        open.rows += 1;
        open.last = line;
      } else {
        this.finish(open, page, bodySize);
        open = { text: line.text.trim(), last: line, size: line.size, isTable: false, rows: 1 };
      }
    }
    this.finish(open, page, bodySize);
  }

  private finish(open: OpenParagraph | null, page: number, bodySize: number): void {
    if (!open) return;
    const ratio = open.size / bodySize;
    const isHeading = !open.isTable && ratio > 1.15 && open.text.length <= 200 && /\p{L}/u.test(open.text);
    if (isHeading) {
      const level = ratio > 1.8 ? 1 : ratio > 1.4 ? 2 : 3;
      this.output.add('heading', open.text, { level, page });
    } else this.output.add(open.isTable ? 'table' : 'paragraph', open.text, { page });
  }

  private count(size: number, characters: number): void {
    const rounded = Math.round(size * 2) / 2;
    this.charactersBySize.set(rounded, (this.charactersBySize.get(rounded) ?? 0) + characters);
  }

  private bodySize(): number {
    let body = 1;
    let most = 0;
    for (const [size, characters] of this.charactersBySize) {
      if (characters > most) [body, most] = [size, characters];
    }
    return Math.max(body, 1);
  }
}

/** Distance of baselines, in ems, from which a new paragraph begins on this page. */
function paragraphGap(lines: readonly TextLine[]): number {
  const drops = lines
    .slice(1)
    .map((line, index) => (lines[index]!.baseline - line.baseline) / line.size)
    .filter((drop) => drop > 0.5 && drop < 3)
    .sort((a, b) => a - b);
  const usual = drops[drops.length >> 1] ?? gapBounds.most;
  return Math.min(gapBounds.most, Math.max(gapBounds.least, usual * looserThanUsual));
}

/** Another cell of the same row, to the right of the last one. */
function continuesRow({ last }: OpenParagraph, line: TextLine): boolean {
  if (line.turns !== last.turns) return false;
  return Math.abs(last.baseline - line.baseline) < Math.min(last.size, line.size) * 0.4 && line.left > last.left;
}

function continuesParagraph(open: OpenParagraph, line: TextLine, gap: number): boolean {
  const { last } = open;
  if (line.turns !== last.turns) return false;
  if (Math.abs(line.size - last.size) > last.size * 0.12) return false;
  const drop = last.baseline - line.baseline;
  if (drop > 0) return drop < Math.max(last.size, line.size) * gap;
  // Back at the top of the next column: the sentence goes on when it was not finished.
  return !open.isTable && !/[.!?:。！？]["')\]]?$/.test(open.text.slice(-2)) && /^\p{Ll}/u.test(line.text.trim());
}

const cjk = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u;

/** Lines become one text again: a word parted by a hyphen is healed, and scripts without spaces get none. */
function joinLines(text: string, next: string): string {
  const line = next.trim();
  if (/\p{Ll}-$/u.test(text.slice(-2)) && /^\p{Ll}/u.test(line)) return text.slice(0, -1) + line;
  if (/\p{Ll}\u00ad$/u.test(text.slice(-2))) return text.slice(0, -1) + line;
  const bothCjk = cjk.test(text.slice(-1)) && cjk.test(line.charAt(0));
  return bothCjk ? text + line : `${text} ${line}`;
}
