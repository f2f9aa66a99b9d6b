import type { Block } from '../../../domain/parsed-document.js';
import { canonicalText } from '../canonical-text.js';
import type { Converter } from './converter.js';

/** Plain text stays as it is; blank lines end paragraphs. */
export const convertText: Converter<string> = async (source, output) => {
  const text = canonicalText(source);
  output.addWhole(text, paragraphsOf(text));
  return { title: null, pages: null };
};

function* paragraphsOf(text: string): Generator<Block> {
  const gap = /\n[ \t]*\n\s*/g;
  let start = 0;
  for (let match = gap.exec(text); match; match = gap.exec(text)) {
    if (text.slice(start, match.index).trim() !== '') yield { kind: 'paragraph', start, end: match.index };
    start = gap.lastIndex;
  }
  if (text.slice(start).trim() !== '') yield { kind: 'paragraph', start, end: text.length };
}
