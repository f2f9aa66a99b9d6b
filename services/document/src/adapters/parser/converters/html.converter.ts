import { Parser, type Handler } from 'htmlparser2';
import { canonicalText } from '../canonical-text.js';
import type { Converter } from './converter.js';
import { HtmlBlocks } from './html-blocks.js';
import { HtmlShares } from './html-shares.js';

/** Pieces handed to the parser, so that text nodes stay small. */
const pieceUnits = 65_536;

/**
 * Main content of a page: what is in `main` or `article` when that is substantial and no small part of the page, else the
 * whole body; navigation, forms, scripts and hidden elements are left out, the first two unless the content is in them.
 */
export const convertHtml: Converter<string> = async (raw, output) => {
  const source = canonicalText(raw);
  const shares = new HtmlShares();
  readInto(shares, source);
  const blocks = new HtmlBlocks(output, shares.scope());
  readInto(blocks, source);
  return { title: blocks.title, pages: null };
};

function readInto(handler: Partial<Handler>, source: string): void {
  const parser = new Parser(handler, { decodeEntities: true, lowerCaseTags: true });
  for (let at = 0; at < source.length; at += pieceUnits) parser.write(source.slice(at, at + pieceUnits));
  parser.end();
}
