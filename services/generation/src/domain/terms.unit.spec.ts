import { describe, expect, it } from '@jest/globals';
import { termsOf as retrievalTermsOf } from '../../../retrieval/src/domain/terms.js';
import { tokenize } from '../../../vector/src/domain/tokenizer.js';
import { termsOf } from './terms.js';

/** Every letter of a script without case; but those of Arabic, which the index folds, and those of no script. */
const letters = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit)).filter(
  (letter) => /(?![\p{sc=Arabic}\p{sc=Common}])\p{Lo}/u.test(letter) && letter.normalize('NFKC') === letter,
);

/** Letters whose words are taken apart: a word of three of them is no term as it is. */
const takenApart = (terms: (word: string) => Iterable<string>): string[] =>
  letters.filter((letter) => ![...terms(letter.repeat(3))].includes(letter.repeat(3)));

describe('termsOf', () => {
  it('takes the words of the scripts apart that the search index takes apart, as retrieval does, and no others', () => {
    const index = takenApart((word) => tokenize(word, 'query'));
    expect(index.length).toBeGreaterThan(30_000);
    expect(takenApart((word) => retrievalTermsOf(word).counts.keys())).toEqual(index);
    expect(takenApart(termsOf)).toEqual(index);
  });
});
