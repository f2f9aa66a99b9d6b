/** Marks by which chat templates tell roles apart: in data they are text, so each gets a gap no tokenizer reads over. */
const CONTROL_MARKS =
  /<\|(?=[\w/])|\|>|\[(?=\/?INST\])|<<(?=\/?SYS>>)|<(?=\/?s>)|<(?=(?:start|end)_of_turn>)|<(?=\/?(?:system|user|assistant|human|instructions?|tool_call|function_calls?|think)\b)|<｜/gi;
/** Characters nobody sees: they hide instructions from people and not from models. Joiners that scripts need stay. */
const INVISIBLE = /[\u{E0000}-\u{E007F}\u200B\u2060-\u2064\u202A-\u202E\u2066-\u2069\uFEFF\u00AD]|[^\P{Cc}\t\n\r]/gu;
/** A line that opens a turn in plain-text transcripts. */
const TURN_LINE =
  /^([ \t]*(?:#{1,6}[ \t]*)?)(system|user|human|assistant|instruction|developer)([ \t]*(?:message|prompt)?[ \t]*[:：])/gim;

/** Text from a document that cannot pass for anything but text: no element of ours, no role, nothing invisible. */
export function asData(text: string): string {
  return text
    .replace(INVISIBLE, '')
    .replace(/<(?=\s*\/?\s*(?:sources?|data)\b)/gi, '&lt;')
    .replace(CONTROL_MARKS, (mark) => `${mark[0]} ${mark.slice(1)}`)
    .replace(TURN_LINE, '$1“$2”$3');
}

/** Whether a tag is of a data block. A model that imitates its prompt may write one; it is for no reader. */
export const isDataElement = (name: string): boolean => /^data-[\da-f]{24}$/i.test(name);

/**
 * Delimits data by an element whose name nobody who wrote a document could know.
 * @param mark unguessable, new for each request.
 */
export function dataBlock(mark: string, lines: readonly string[]): string {
  const name = `data-${mark}`;
  return [`<${name}>`, ...lines.map((line) => line.replaceAll(mark, '')), `</${name}>`].join('\n');
}
