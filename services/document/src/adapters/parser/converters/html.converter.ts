import { Parser } from 'htmlparser2';
import { canonicalText } from '../canonical-text.js';
import { DocumentText } from '../document-text.js';
import type { Converter } from './converter.js';
import { HtmlBlocks } from './html-blocks.js';

/** Below this many characters a `main` or `article` element is taken for a teaser, not for the content of the page. */
const substantial = 200;

/** Pieces handed to the parser, so that text nodes stay small. */
const pieceUnits = 65_536;

/**
 * Main content of a page: what is in `main` or `article` when that is substantial, else the whole body; navigation,
 * forms, scripts and hidden elements are left out unless nothing would remain.
 */
export const convertHtml: Converter<string> = async (raw, output, limits) => {
  const source = canonicalText(raw);
  const attempts = [{ onlyMain: true, skipNavigation: true }, { onlyMain: false, skipNavigation: true }, { onlyMain: false, skipNavigation: false }]; // prettier-ignore
  for (const [index, attempt] of attempts.entries()) {
    const candidate = new DocumentText(limits.maxCharacters);
    const blocks = new HtmlBlocks(candidate, attempt);
    const parser = new Parser(blocks, { decodeEntities: true, lowerCaseTags: true });
    for (let at = 0; at < source.length; at += pieceUnits) parser.write(source.slice(at, at + pieceUnits));
    parser.end();
    const isLast = index === attempts.length - 1;
    const text = candidate.toString();
    if (!isLast && (text.length === 0 || (attempt.onlyMain && text.length < substantial))) continue;
    output.addWhole(text, candidate.blocks);
    return { title: blocks.title, pages: null };
  }
  return { title: null, pages: null };
};
