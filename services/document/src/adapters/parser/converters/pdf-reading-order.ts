import type { TextLine } from './pdf-lines.js';

/** Fewer lines than this are no evidence of columns or disorder. */
const enoughLines = 8;

/**
 * Puts the lines of a page into reading order. Producers nearly always draw in reading order, column by column, so that
 * order is kept unless it contradicts itself: columns drawn line by line across the page are separated, and lines drawn
 * in no order at all are sorted from top to bottom. Lines turned otherwise than the first ones come behind those.
 */
export function inReadingOrder(lines: TextLine[]): TextLine[] {
  return [...Map.groupBy(lines, ({ turns }) => turns).values()].flatMap(ordered);
}

function ordered(lines: TextLine[]): TextLine[] {
  if (lines.length < enoughLines) return lines;
  const gutter = gutterOf(lines);
  if (gutter !== null && alternates(lines, gutter)) return byColumns(lines, gutter);
  return isShuffled(lines) || (gutter === null && isScatteredTable(lines)) ? byRows(lines) : lines;
}

/** From top to bottom, and along each baseline from left to right. */
function byRows(lines: readonly TextLine[]): TextLine[] {
  const rows: TextLine[][] = [];
  for (const line of lines.toSorted((a, b) => b.baseline - a.baseline)) {
    const row = rows.at(-1);
    if (row && row[0]!.baseline - line.baseline < Math.min(row[0]!.size, line.size) * 0.5) row.push(line);
    else rows.push([line]);
  }
  return rows.flatMap((row) => row.sort((a, b) => a.left - b.left));
}

/** A table drawn by column: narrow lines, many of which share a baseline with a line that is not their neighbour. */
function isScatteredTable(lines: readonly TextLine[]): boolean {
  const widths = lines.map((line) => line.right - line.left).sort((a, b) => a - b);
  const edge = lines.reduce((least, line) => Math.min(least, line.left), 0);
  const page = lines.reduce((most, line) => Math.max(most, line.right), edge) - edge;
  if (widths[widths.length >> 1]! > page * 0.15) return false;
  const lastOnBaseline = new Map<number, number>();
  let scattered = 0;
  for (const [index, { baseline }] of lines.entries()) {
    const key = Math.round(baseline);
    const previous = lastOnBaseline.get(key);
    if (previous !== undefined && index - previous > 1) scattered += 1;
    lastOnBaseline.set(key, index);
  }
  return scattered > lines.length * 0.1;
}

/** The x between two columns of prose: hardly a line crosses it, and lines on both sides are wide, unlike table cells. */
function gutterOf(lines: readonly TextLine[]): number | null {
  const left = lines.reduce((least, line) => Math.min(least, line.left), Infinity);
  const width = lines.reduce((most, line) => Math.max(most, line.right), -Infinity) - left;
  for (let step = 0; step <= 10; step += 1) {
    const x = left + width * (0.4 + step * 0.02);
    const before = lines.filter((line) => line.right <= x);
    const after = lines.filter((line) => line.left >= x);
    const crossing = lines.length - before.length - after.length;
    const prose = (side: TextLine[]) =>
      side.length >= enoughLines / 2 &&
      side.filter((line) => line.right - line.left > width * 0.25).length > side.length / 2;
    if (crossing <= lines.length * 0.2 && prose(before) && prose(after)) return x;
  }
  return null;
}

/** Column by column a page changes sides once or twice; line by line it does so all the time. */
function alternates(lines: readonly TextLine[], gutter: number): boolean {
  let changes = 0;
  for (let index = 1; index < lines.length; index += 1) {
    if (lines[index - 1]!.right <= gutter !== lines[index]!.right <= gutter) changes += 1;
  }
  return changes > lines.length * 0.3;
}

/** Lines across the gutter are headings of both columns: they part the page into bands, read left then right. */
function byColumns(lines: readonly TextLine[], gutter: number): TextLine[] {
  let ordered: TextLine[] = [];
  let left: TextLine[] = [];
  let right: TextLine[] = [];
  const endBand = () => {
    ordered = ordered.concat(left, right);
    left = [];
    right = [];
  };
  for (const line of byRows(lines)) {
    if (line.right <= gutter) left.push(line);
    else if (line.left >= gutter) right.push(line);
    else {
      endBand();
      ordered.push(line);
    }
  }
  endBand();
  return ordered;
}

/** Many steps back up within the same column: the drawing order means nothing. */
function isShuffled(lines: readonly TextLine[]): boolean {
  let upwards = 0;
  for (let index = 1; index < lines.length; index += 1) {
    const [previous, line] = [lines[index - 1]!, lines[index]!];
    const sameColumn = line.left < previous.right && previous.left < line.right;
    if (sameColumn && line.baseline - previous.baseline > line.size) upwards += 1;
  }
  return upwards > lines.length * 0.3;
}
