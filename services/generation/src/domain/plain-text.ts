/** Scripts that set no spaces: there emphasis stands right beside other letters. */
const UNSPACED = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}`;
const WORD = String.raw`[[\p{L}\p{N}]--[${UNSPACED}]]`;
/** Beside a letter or digit `**` is a power and `__` part of a name; what no other one closes may be anything. */
const EMPHASIS = new RegExp(String.raw`(?<!${WORD})(\*\*|__(?!_))(?!\s)(.+?)(?<!\s)\1(?!${WORD})`, 'gsv');

/** Markdown as it reads: links as their text, and no marks of emphasis. */
export const withoutMarks = (markdown: string): string =>
  markdown.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replace(EMPHASIS, '$2');
