/** Most text that is looked at before and behind a place, in UTF-16 units; a longer code span is taken for none. */
export const REACH = 2_000;

/**
 * Whether the end of `before` stands inside inline code that is closed in `after`, on the same line (CommonMark §6.1); undefined when
 * that depends on what comes. Code spans of several lines are not seen, so this is a matter of looks and nothing to rely on for safety.
 * @param before the line so far.
 * @param isEnd nothing comes behind `after`.
 */
export function isInsideCode(before: string, after: string, isEnd: boolean): boolean | undefined {
  const line = before.slice(-REACH);
  if (!line.includes('`')) return false;
  const [rest] = after.slice(0, REACH).split('\n', 1) as [string];
  const isWhole = isEnd || rest.length < after.length || rest.length === REACH;
  const text = line + rest;
  const marks = [...text.matchAll(/`+/g)];
  for (let opening = 0; opening < marks.length && marks[opening]!.index < line.length; opening += 1) {
    const mark = marks[opening]!;
    const length = mark[0].length - (isEscaped(text, mark.index) ? 1 : 0);
    if (length === 0) continue;
    const closing = closingOf(marks, opening, length);
    const end = marks[closing]?.index ?? text.length;
    if (!isWhole && end + length >= text.length) return undefined;
    if (closing === marks.length) continue;
    if (end >= line.length) return true;
    opening = closing;
  }
  return false;
}

/** The next mark of that length; behind the last one when there is none. */
function closingOf(marks: readonly RegExpExecArray[], opening: number, length: number): number {
  let closing = opening + 1;
  while (closing < marks.length && marks[closing]![0].length !== length) closing += 1;
  return closing;
}

/** Outside code, a character behind an odd number of backslashes means itself. */
function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}
