const ABBREVIATION =
  /(?:^|[\s(])(?:\p{L}|e\.g|i\.e|z\. ?B|d\. ?h|Dr|Mr|Mrs|Ms|Prof|St|No|Nr|Fig|Eq|Sec|vs|etc|al|ca|bzw|approx|Abs|Art|Bd|\d{1,3})\.\s*$/u;
/** A full stop that nothing follows but the next letter, as in an address, or a bracket that is still open. */
const GOES_ON = /[.?!([{]$/;
/** The marks of notes that stand at the end of a sentence without a space, with pages: `.[14]: 111, 228`; maybe after their bracket. */
const NOTES = /^\[?\d{1,3}\](?:\[\d{1,3}\])*(?::[\d ,–-]{1,24})?\s*/;
/** How much is looked at on either side, in UTF-16 units: the sentence may be as long as the text. */
const AROUND = 64;

/**
 * Where a sentence really ends that Unicode's rules (UAX #29) end at `index`: behind the marks of its notes; undefined when it goes
 * on, as after an abbreviation or within an address.
 *
 * @param start where it begins in the text
 */
export function sentenceEnd(text: string, start: number, index: number): number | undefined {
  const before = text.slice(Math.max(start, index - AROUND), index);
  if (!/\s$/.test(before)) {
    const notes = NOTES.exec(text.slice(index, index + AROUND))?.[0];
    if (notes && /[.?!]\[?$/.test(before)) return index + notes.length;
    if (GOES_ON.test(before)) return undefined;
  }
  return ABBREVIATION.test(before) ? undefined : index;
}
