import type { AnswerEvent } from './answer-stream.js';
import { sentencesOf, type Sentence } from './sentences.js';
import { quote, type Source } from './source.js';
import { countShared, termsOf } from './terms.js';

/** A number, or a range of them; longer ranges are years. */
const NUMBERS = String.raw`(?:\d{1,3}\s*[-–]\s*\d{1,3}|\d{1,4})`;
const MARKER = new RegExp(String.raw`^[[【]\s*${NUMBERS}(?:\s*[,;]\s*${NUMBERS})*\s*[\]】]$`);
const MARKER_BEGUN = /^[[【]\s*(?:\d{1,4}\s*[-–,;]\s*)*(?:\d{1,4}\s*)?$/;
const MAX_PENDING = 32;
/** Code of fewer backticks stands within one paragraph (CommonMark §6.1). */
const FENCE = 3;
const CLAIM_CHARACTERS = 600;

/**
 * Reads a model's answer piece by piece, however it is cut. A marker with a source is passed on as `[n]`, followed by a
 * citation of the sentence in that source that fits the claim before it best; a marker without a source is removed and
 * counted. `[1-3]` is `[1][2][3]`. Markers inside code are code.
 */
export class CitationChecker {
  /** Markers removed so far because no source has their number. */
  removed = 0;
  private pending = '';
  private spaces = '';
  private claim = '';
  private backticks = 0;
  private codeFence = 0;
  private isBlankLine = false;
  private events: AnswerEvent[] = [];
  private readonly cited = new Set<string>();
  private readonly quotable = new Map<number, readonly Quotable[]>();

  constructor(private readonly sources: readonly Source[]) {}

  /** What can be shown after this piece; an unfinished marker waits for the next one. */
  push(piece: string): AnswerEvent[] {
    for (const character of piece) this.read(character);
    return this.take();
  }

  /** What was still held back when the model stopped. */
  end(): AnswerEvent[] {
    this.show(this.pending);
    this.pending = '';
    this.show('');
    return this.take();
  }

  private read(character: string): void {
    if (this.pending !== '') {
      const grown = this.pending + character;
      const numbers = MARKER.test(grown) ? numbersOf(grown) : undefined;
      if (numbers) return this.resolve(numbers);
      if (grown.length <= MAX_PENDING && MARKER_BEGUN.test(grown)) {
        this.pending = grown;
        return;
      }
      this.show(this.pending);
      this.pending = '';
    }
    this.trackCode(character);
    if (this.codeFence === 0 && /[[【]/.test(character)) this.pending = character;
    else if (/\s/.test(character)) this.spaces += character;
    else this.show(character);
  }

  private trackCode(character: string): void {
    if (character === '`') {
      this.backticks += 1;
    } else if (this.backticks > 0) {
      if (this.codeFence === 0) this.codeFence = this.backticks;
      else if (this.codeFence === this.backticks) this.codeFence = 0;
      this.backticks = 0;
    }
    if (character === '\n') {
      if (this.isBlankLine && this.codeFence < FENCE) this.codeFence = 0; // a backtick without its other one
      this.isBlankLine = true;
    } else if (/\S/.test(character)) this.isBlankLine = false;
  }

  private resolve(numbers: readonly number[]): void {
    this.pending = '';
    const known = numbers.filter((number) => number >= 1 && number <= this.sources.length);
    this.removed += numbers.length - known.length;
    if (known.length === 0) {
      this.spaces = '';
      return;
    }
    const claim = this.claim;
    this.show(known.map((number) => `[${number}]`).join(''));
    this.claim = claim;
    for (const number of known) this.cite(number - 1, claim);
  }

  private cite(position: number, claim: string): void {
    const { text } = this.sources[position]!;
    const known = this.quotable.get(position) ?? quotableIn(text);
    this.quotable.set(position, known);
    const citation = quote(this.sources, position, bestFit(known, claim) ?? { start: 0, end: text.length });
    const key = `${citation.index}:${citation.start}`;
    if (this.cited.has(key)) return;
    this.cited.add(key);
    this.events.push({ type: 'citation', citation });
  }

  /** Spaces wait for what follows them, so that a removed marker does not leave a gap before the full stop. */
  private show(text: string): void {
    const shown = this.spaces + text;
    this.spaces = '';
    if (shown === '') return;
    this.claim = (this.claim + shown).slice(-CLAIM_CHARACTERS);
    const last = this.events.at(-1);
    if (last?.type === 'delta') this.events[this.events.length - 1] = { type: 'delta', text: last.text + shown };
    else this.events.push({ type: 'delta', text: shown });
  }

  private take(): AnswerEvent[] {
    const { events } = this;
    this.events = [];
    return events;
  }
}

/**
 * The numbers a marker names, each once; undefined for what only looks like one: a range that does not go up from a number
 * of a source, and a list with a number below 1, as an interval or an array is. A 0 alone is a marker without a source.
 */
function numbersOf(marker: string): number[] | undefined {
  const numbers = new Set<number>();
  const parts = marker.slice(1, -1).split(/[,;]/);
  for (const part of parts) {
    const [first, last] = part.split(/[-–]/).map(Number) as [number, number?];
    if (first < 1 && (last !== undefined || parts.length > 1)) return undefined;
    if (last !== undefined && last <= first) return undefined;
    for (let number = first; number <= (last ?? first); number += 1) numbers.add(number);
  }
  return [...numbers];
}

/** What a citation may quote, with its terms: the statements of a source, or whatever it has. */
interface Quotable {
  readonly sentence: Sentence;
  readonly terms: ReadonlySet<string>;
}

function quotableIn(text: string): Quotable[] {
  const all = sentencesOf(text);
  const statements = all.filter(({ isStatement }) => isStatement);
  return (statements.length > 0 ? statements : all).map((sentence) => ({ sentence, terms: termsOf(sentence.text) }));
}

/** The sentence that shares most terms with the last sentence of the claim; the first of equals. */
function bestFit(quotable: readonly Quotable[], claim: string): Sentence | undefined {
  const claimed = termsOf(sentencesOf(claim.replace(/\[\d+\]/g, ' ').trim()).at(-1)?.text ?? claim);
  const fit = ({ terms }: Quotable): number => countShared(terms, claimed) / Math.sqrt(Math.max(1, terms.size));
  let [best, bestScore] = [quotable[0]?.sentence, -1];
  for (const candidate of quotable) {
    const score = fit(candidate);
    if (score > bestScore) [best, bestScore] = [candidate.sentence, score];
  }
  return best;
}
