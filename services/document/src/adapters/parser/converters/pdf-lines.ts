import type { TextItem } from 'pdfjs-dist/types/src/display/api.js';

/** A run of text on one baseline without a wide gap; a line of a paragraph, or a cell of a table row. */
export interface TextLine {
  text: string;
  left: number;
  right: number;
  /** Baseline, growing upwards as in PDF; for vertical writing the column's x, which also falls in reading order. */
  readonly baseline: number;
  readonly size: number;
  /**
   * Quarters counter-clockwise by which it is drawn turned, be it to stand turned on the page or since `/Rotate` turns the
   * page back. Its other measures are those of a page turned so that it lies level.
   */
  readonly turns: number;
}

type Matrix = [number, number, number, number, number, number];

/** Gaps in ems: a wider one than `space` parts words, a wider one than `cell` parts cells and columns. */
const spaceGap = 0.2;
const cellGap = 1.5;

/** Joins the items of a page, in the order they are drawn, to runs of text. */
export function linesOf(items: readonly TextItem[]): TextLine[] {
  const lines: TextLine[] = [];
  let open: TextLine | null = null;
  let breakBefore = false;
  for (const item of items) {
    if (item.str !== '' && item.str.trim() === '' && item.width > 0 && open) {
      // White space drawn by the producer; how wide it is shows in the position of what follows.
      if (!open.text.endsWith(' ')) open.text += ' ';
    } else if (item.str.trim() !== '') {
      const next = lineOf(item);
      if (open && !breakBefore && continues(open, next)) join(open, next);
      else lines.push((open = next));
      breakBefore = false;
    }
    if (item.hasEOL) breakBefore = true;
  }
  return lines;
}

function lineOf(item: TextItem): TextLine {
  const matrix = item.transform as Matrix;
  const turns = quarterTurns(matrix);
  const [x, y] = levelled(matrix[4], matrix[5], turns);
  const size = item.height > 0 && item.dir !== 'ttb' ? item.height : Math.hypot(matrix[0], matrix[1]) || 1;
  if (item.dir === 'ttb') return { text: item.str, left: -y, right: item.height - y, baseline: x, size, turns };
  return { text: item.str, left: x, right: x + item.width, baseline: y, size, turns };
}

/** A slant, as of a scan, or mirrored text counts as no turn. */
function quarterTurns([a, b, c, d]: Matrix): number {
  if (a * d - b * c <= 0) return 0;
  return (Math.round(Math.atan2(b, a) / (Math.PI / 2)) + 4) % 4;
}

function levelled(x: number, y: number, turns: number): readonly [number, number] {
  if (turns === 1) return [y, -x];
  if (turns === 2) return [-x, -y];
  return turns === 3 ? [-y, x] : [x, y];
}

function continues(open: TextLine, next: TextLine): boolean {
  if (open.turns !== next.turns) return false;
  const em = Math.max(open.size, next.size);
  if (Math.abs(open.baseline - next.baseline) > em * 0.5) return false;
  return gapBetween(open, next) < em * cellGap;
}

/** Distance of two runs on one baseline, whichever comes first: right-to-left text is drawn from the right. */
const gapBetween = (a: TextLine, b: TextLine) => Math.max(b.left - a.right, a.left - b.right);

function join(open: TextLine, next: TextLine): void {
  const parted = gapBetween(open, next) > Math.max(open.size, next.size) * spaceGap;
  const spaced = /\s$/.test(open.text) || /^\s/.test(next.text);
  open.text += (parted && !spaced ? ' ' : '') + next.text;
  open.left = Math.min(open.left, next.left);
  open.right = Math.max(open.right, next.right);
}
