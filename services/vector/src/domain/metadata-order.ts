import type { JsonValue, Metadata, RangeOperator } from './metadata-filter.js';

/**
 * Texts as numbers that keep their order, for stores that compare numbers only: a text's first bytes, in groups of as many as
 * a double holds beside the number of the field and of the group. Beyond them texts are alike. Stores keep these numbers: what
 * makes them must stay as it is.
 */
const GROUPS = 2;
const GROUP_BYTES = 5;
const SPAN = 256 ** GROUP_BYTES;
/** Numbers of fields, a prime; two of one number share their texts' numbers, so a range of one finds some of the other, too. */
const FIELDS = 4093;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Inclusive bounds of a number. */
export interface NumberRange {
  readonly gte: number;
  readonly lte: number;
}

/** The numbers of every text that ranges can be asked about; elements of arrays count, objects in arrays do not. */
export function metadataOrder(metadata: Metadata): number[] {
  const numbers = new Set<number>();
  collect(metadata as JsonValue, [], numbers);
  return [...numbers];
}

/**
 * What the numbers of a text in a range are like: each range of one of these alternatives holds one of them. Texts that are
 * alike in their first bytes pass, too, whichever side of the bound they are on.
 */
export function orderRanges(field: readonly string[], operator: RangeOperator, bound: string): NumberRange[][] {
  const isAbove = operator === '$gt' || operator === '$gte';
  const numbers = numbersOf(bound, firstOf(field));
  return numbers.flatMap((number, group) => {
    const same = numbers.slice(0, group).map((one) => ({ gte: one, lte: one }));
    const step = group === GROUPS - 1 ? 0 : 1; // what is alike so far is decided by the next group
    const start = Math.floor(number / SPAN) * SPAN;
    const rest = isAbove ? { gte: number + step, lte: start + SPAN - 1 } : { gte: start, lte: number - step };
    return rest.gte <= rest.lte ? [[...same, rest]] : [];
  });
}

function collect(value: JsonValue, field: readonly string[], numbers: Set<number>): void {
  if (Array.isArray(value)) {
    const texts = value.filter((element) => typeof element === 'string');
    if (texts.length > 0) addTexts(texts, field, numbers);
  } else if (typeof value === 'string') addTexts([value], field, numbers);
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) collect(inner, [...field, name], numbers);
}

function addTexts(texts: readonly string[], field: readonly string[], numbers: Set<number>): void {
  const first = firstOf(field);
  for (const text of texts) for (const number of numbersOf(text, first)) numbers.add(number);
}

/** The least number of a field. */
function firstOf(field: readonly string[]): number {
  const name = JSON.stringify(field);
  let hash = FNV_OFFSET;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), FNV_PRIME);
  return ((hash >>> 0) % FIELDS) * GROUPS * SPAN;
}

/**
 * Of each code unit as many bytes as UTF-8 takes for a character of that number, as code units are what filters compare: the
 * halves of a pair stay apart, so this is not the text's UTF-8. A short text goes on with zeros, so it comes before all that
 * begin with it.
 */
function numbersOf(text: string, first: number): number[] {
  const numbers: number[] = [];
  let [unread, number, length] = [0, 0, 0];
  const add = (byte: number): void => {
    number = number * 256 + byte;
    length += 1;
    if (length % GROUP_BYTES !== 0) return;
    numbers.push(first + numbers.length * SPAN + number);
    number = 0;
  };
  while (numbers.length < GROUPS) addUnit(unread < text.length ? text.charCodeAt(unread++) : 0, add);
  return numbers;
}

function addUnit(unit: number, add: (byte: number) => void): void {
  if (unit < 0x80) return add(unit);
  if (unit < 0x800) add(0xc0 | (unit >> 6));
  else {
    add(0xe0 | (unit >> 12));
    add(0x80 | ((unit >> 6) & 0x3f));
  }
  add(0x80 | (unit & 0x3f));
}
