import { REACH, isInsideCode } from './code-span.js';
import { isDataElement } from './data-block.js';
import { isElementName, shapesText } from './element-names.js';

/** A fence begins and ends at the margin; one that is not closed reaches to the end of the answer (CommonMark §4.5). */
const FENCE_LINE = /^ {0,3}(`{3,}|~{3,})([^`\n]*)$/;
const IMAGE = /!(?=\[[^\]\n]{0,300}\][([])/y;
const DESTINATION = /\]\(([^)]{0,2000})\)/y;
/** What CommonMark (§6.3) takes for an address with or without a title; other words in brackets are just that. */
const TARGET = /^\s*(<[^>\n]*>|\S*)(?:\s+(?:"[^"]*"|'[^']*'|\(.*))?\s*$/;
/** Leads nowhere but to where the answer is shown. */
const RELATIVE = /^[\w.#?=&%-][\w./#?=&%-]*$/;
const TAG = /<\/?([a-z][a-z0-9-]{0,40})([\s/][^<>]{0,2000})?>/iy;
/** `<branch>`, `<string, Vec<T>`: no attribute that does anything, no address, and nothing left open that could become one. */
const HARMLESS = /<\/?[a-z](?:[^>="'`:\n]|::){0,200}>/iy;
/** `std::string` has the shape of an address, and is none. */
const AUTOLINK = /<([a-z][a-z0-9+.-]{1,31}:(?!:)[^\s<>]{0,2000})>/iy;
const BARE_URL =
  /(?:(?:https?|ftp|wss?):\/\/|\/\/(?=[\p{L}\p{N}_-]+\.[\p{L}\p{N}])|www\.)[\p{L}\p{N}[_-][^\s<>"'`()[\]{}]*/iuy;
const TAG_START = /<(?=[!?a-z/])/iy;
/** What may still become one of these when more text comes. */
const UNFINISHED = [
  /!(?:\[[^\]\n]{0,300}\]?)?$/y,
  /\](?:\([^)]{0,2000})?$/y,
  /<(?:\/?[a-z][^<>]{0,2000}|\/)?$/iy,
  /<\/?[a-z](?:[^>="'`:\n]|::){0,200}:?$/iy,
  /(?:h(?:t(?:t(?:ps?)?)?)?|f(?:tp?)?|ws?s?|https?:\/?|ftp:\/?|wss?:\/?|ww|www\.?|\/)$/iy,
  /(?:(?:https?|ftp|wss?):)?\/\/[\p{L}\p{N}[_-]*$/iuy,
  /(?:(?:(?:https?|ftp|wss?):)?\/\/|www\.)[^\s<>"'`()[\]{}]{0,2000}$/iuy,
];
const PUNCTUATION = /[.,;:!?…。，！？]+$/u;

/**
 * Reads a model's answer piece by piece, however it is cut, and lets nothing through by which a reader's browser would talk
 * to somebody: a link stays only where its address stands literally in a source or in the question, so that it carries
 * nothing away; images become links. Outside code blocks, HTML tags with attributes and those that shape text are taken out. Of
 * all other words in angle brackets (`<branch>`, `<title>`) the bracket is written so that no browser takes it for a tag's. In
 * inline code nothing is escaped, so what is no element's name stays as it is there.
 */
export class LinkGuard {
  /** Addresses taken out so far. */
  removed = 0;
  private rest = '';
  private line = '';
  /** Last part of the line, and its last character. To look at the whole of a line at each of its characters would take for ever. */
  private tail = '';
  private last = '';
  private fence = '';
  /** Something was taken out right before. */
  private isSeam = false;

  /** @param known texts an address may stand in. */
  constructor(private readonly known: readonly string[]) {}

  /** What can be shown after this piece. */
  push(piece: string): string {
    this.rest += piece;
    return this.read(false);
  }

  /** What was still held back when the model stopped. */
  end(): string {
    return this.read(true);
  }

  private read(isEnd: boolean): string {
    let shown = '';
    let at = 0;
    while (at < this.rest.length) {
      const step = this.step(at, isEnd);
      if (step === undefined) break;
      shown += step.shown;
      at += step.length;
    }
    this.rest = this.rest.slice(at);
    return shown;
  }

  /** What becomes of the text at a position; undefined when that depends on what comes. */
  private step(at: number, isEnd: boolean): { shown: string; length: number } | undefined {
    const character = String.fromCodePoint(this.rest.codePointAt(at)!);
    const asIs = { shown: character, length: character.length };
    if (this.fence === '' && !this.isInsideWord(at)) {
      const found = this.construct(at, isEnd);
      if (found === 'unfinished') return undefined;
      if (found) {
        this.isSeam = found.shown === '';
        const shown = this.isSeam ? this.seam() : found.shown;
        this.note(shown);
        return { shown, length: found.length };
      }
    }
    this.isSeam = false;
    this.note(character);
    return asIs;
  }

  private construct(at: number, isEnd: boolean): { shown: string; length: number } | 'unfinished' | undefined {
    const begins = (pattern: RegExp): RegExpExecArray | null => this.begins(pattern, at);
    if (!/[!\]<a-z/]/i.test(this.rest[at]!)) return undefined;
    const touchesEnd = (found: RegExpExecArray): boolean => !isEnd && at + found[0].length === this.rest.length;
    if (begins(IMAGE)) return { shown: '', length: 1 };
    const link = begins(DESTINATION);
    if (link) return this.link(link);
    const name = this.name(at, isEnd);
    if (name) return name;
    const auto = begins(AUTOLINK);
    if (auto) return this.allowed(auto[1]!) ? whole(auto) : this.drop(auto, '');
    const url = begins(BARE_URL);
    if (url && !touchesEnd(url)) return this.bareUrl(url[0]);
    if (!isEnd && UNFINISHED.some(begins)) return 'unfinished';
    const start = begins(TAG_START);
    return start ? { shown: '&lt;', length: 1 } : undefined;
  }

  private begins(pattern: RegExp, at: number): RegExpExecArray | null {
    pattern.lastIndex = at;
    return pattern.exec(this.rest);
  }

  /** What becomes of a tag, or of inline code that has the shape of one. In code a tag without attributes is told, not given. */
  private name(at: number, isEnd: boolean): { shown: string; length: number } | 'unfinished' | undefined {
    const tag = this.begins(TAG, at);
    if (this.begins(HARMLESS, at)) {
      const isCode = isInsideCode(this.tail, this.rest.slice(at, at + REACH), isEnd);
      if (isCode === undefined) return 'unfinished';
      if (isCode) return { shown: tag && isElementName(tag[1]!) ? '&lt;' : '<', length: 1 };
    }
    return tag && isMarkup(tag) ? { shown: '', length: tag[0].length } : undefined;
  }

  private link(found: RegExpExecArray): { shown: string; length: number } | undefined {
    const address = TARGET.exec(found[1]!)?.[1];
    if (address === undefined) return undefined;
    return RELATIVE.test(address) || this.allowed(address) ? whole(found) : this.drop(found, ']');
  }

  /** Punctuation behind an address belongs to the sentence. */
  private bareUrl(found: string): { shown: string; length: number } {
    const punctuation = PUNCTUATION.exec(found)?.[0] ?? '';
    const address = found.slice(0, found.length - punctuation.length);
    if (this.allowed(address)) return { shown: address, length: address.length };
    this.removed += 1;
    return { shown: '', length: address.length };
  }

  private drop(found: RegExpExecArray, shown: string): { shown: string; length: number } {
    this.removed += 1;
    return { shown, length: found[0].length };
  }

  /** Stands literally in a known text, ended there by something that cannot belong to an address. */
  private allowed(address: string): boolean {
    const literal = address.replace(/^<|>$/g, '');
    if (literal === '' || literal.startsWith('#')) return true;
    return this.known.some((text) => {
      for (let at = text.indexOf(literal); at !== -1; at = text.indexOf(literal, at + 1)) {
        if (
          /^[.,;:!?…。，！？]*(?:$|[\s<>"'`()[\]{}])/u.test(text.slice(at + literal.length, at + literal.length + 20))
        )
          return true;
      }
      return false;
    });
  }

  /** What stands in the place of something taken out: a space where its neighbours could make up a tag or an address. */
  private seam(): string {
    const word = this.tail.slice(this.tail.lastIndexOf(' ') + 1);
    return /[<\]!:/]$|(?:^|[^a-z0-9])w{1,3}$/i.test(word.slice(-4)) || /\/\/|www\./i.test(word) ? ' ' : '';
  }

  /** An address begins with a word: inside one there is none; what was taken out ends one. */
  private isInsideWord(at: number): boolean {
    return !this.isSeam && /[a-z]/i.test(this.rest[at]!) && /[a-z0-9+.-]/i.test(this.last);
  }

  private note(shown: string): void {
    for (const character of shown) {
      if (character !== '\n') {
        this.line += character;
        this.last = character;
        this.tail = (this.tail.length < 4 * REACH ? this.tail : this.tail.slice(-2 * REACH)) + character;
        continue;
      }
      const [, marks, info = ''] = FENCE_LINE.exec(this.line) ?? [];
      if (marks !== undefined && this.fence === '') this.fence = marks;
      else if (marks?.startsWith(this.fence) && info.trim() === '') this.fence = '';
      this.line = this.tail = this.last = '';
    }
  }
}

/** Whether a tag is meant as one, and no placeholder: by its name, or by an attribute with a value. */
const isMarkup = ([, name, attributes = '']: RegExpExecArray): boolean =>
  shapesText(name!) || isDataElement(name!) || /[="']/.test(attributes);

const whole = (found: RegExpExecArray): { shown: string; length: number } => ({
  shown: found[0],
  length: found[0].length,
});
