import { foldedTerm, isUnspaced, resembles, type ClozeTerm } from './cloze-term.js';
import { scattered } from './question-order.js';

const WRONG_OPTIONS = 3;
/** With fewer wrong options it is no quiz. */
const MIN_WRONG_OPTIONS = 2;
/** Terms of about the same size that wrong options are chosen from. */
const CLOSEST = 12;
/** Shares and differences by which a figure is falsified. */
const SHARES = [0.5, 0.75, 1.25, 1.5, 2, 3];
const YEARS = [-27, -18, -11, -7, -4, 3, 6, 9, 14, 22];

/**
 * The answer among wrong options, in an order that looks random and is always the same; null when the sources hold too few.
 * Wrong options are other key terms of the same kind and about the same size that the sentence does not hold; figures
 * may be made up.
 */
export function optionsFor(answer: ClozeTerm, sentence: string, pool: readonly ClozeTerm[]): readonly string[] | null {
  const isFigure = answer.kind === 'year' || answer.kind === 'number';
  const others = candidates(answer, sentence, pool);
  const alike = others.filter(({ kind }) => kind === answer.kind);
  const near = nearest(answer, alike, sentence);
  const further = isFigure
    ? madeUp(answer, sentence)
    : nearest(answer, others, sentence).filter(({ kind }) => !/year|number/.test(kind));
  return withAnswer(answer.text, [...near, ...further], sentence);
}

/** The answer among wrong ones, of which the first that differ from each other are taken. */
export function withAnswer(answer: string, wrong: readonly { readonly text: string }[], seed: string): string[] | null {
  const options = [answer];
  for (const { text } of wrong) {
    if (options.length > WRONG_OPTIONS) break;
    if (!options.some((option) => areAlike(option, text))) options.push(text);
  }
  return options.length > MIN_WRONG_OPTIONS ? scattered(options, seed, (option) => option) : null;
}

function areAlike(a: string, b: string): boolean {
  const [first, second] = [foldedTerm(a), foldedTerm(b)];
  if (/\d/.test(first) || /\d/.test(second)) return first === second;
  return resembles(first, second) || first.includes(second) || second.includes(first);
}

function candidates(answer: ClozeTerm, sentence: string, pool: readonly ClozeTerm[]): ClozeTerm[] {
  const shown = foldedTerm(sentence);
  const script = isUnspaced(answer.text);
  return pool.filter(({ key, text }) => isUnspaced(text) === script && !shown.includes(key));
}

/** Those of about the same size first. */
function nearest(answer: ClozeTerm, terms: readonly ClozeTerm[], seed: string): ClozeTerm[] {
  const steps = new Map(terms.map((term) => [term, Math.floor(distance(answer, term))]));
  const closest = terms.toSorted((a, b) => steps.get(a)! - steps.get(b)!).slice(0, CLOSEST);
  return scattered(closest, seed, ({ key }) => key).sort((a, b) => steps.get(a)! - steps.get(b)!);
}

/** In steps of a factor e for figures, of three letters for words. */
function distance(a: ClozeTerm, b: ClozeTerm): number {
  const [first, second] = [valueOf(a.text), valueOf(b.text)];
  if (Number.isNaN(first) || Number.isNaN(second)) return Math.abs(a.text.length - b.text.length) / 3;
  return Math.abs(Math.log((first + 1) / (second + 1)));
}

const valueOf = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN);

function madeUp({ text, kind }: ClozeTerm, seed: string): { text: string }[] {
  const value = valueOf(text);
  if (Number.isNaN(value) || value === 0) return [];
  const digits = text.split('.')[1]?.length ?? 0;
  const values = kind === 'year' ? YEARS.map((step) => value + step) : SHARES.map((share) => value * share);
  const texts = new Set(values.map((made) => made.toFixed(digits)));
  const shown = [...texts].filter((made) => Number(made) > 0 && !seed.includes(made));
  return scattered(shown, seed, (made) => made).map((made) => ({ text: made }));
}
