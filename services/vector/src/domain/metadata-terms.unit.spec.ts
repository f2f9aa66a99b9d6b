import { describe, expect, it } from '@jest/globals';
import { fieldTerm, metadataTerms, valueTerm } from './metadata-terms.js';

describe('metadata as keywords', () => {
  it('names every value with its path and type, elements of arrays too', () => {
    const terms = metadataTerms({ year: 2020, tags: ['a', 1, null], author: { name: 'x', alive: true } });
    const expected = [
      ...[fieldTerm(['year']), valueTerm(['year'], 2020), fieldTerm(['tags']), valueTerm(['tags'], 'a')],
      ...[valueTerm(['tags'], 1), valueTerm(['tags'], null), fieldTerm(['author']), fieldTerm(['author', 'name'])],
      ...[valueTerm(['author', 'name'], 'x'), fieldTerm(['author', 'alive']), valueTerm(['author', 'alive'], true)],
    ];
    expect(terms.toSorted()).toEqual(expected.toSorted());
  });

  it('keeps 1 and "1", a dot in a name and a path, and a field and its value apart', () => {
    expect(valueTerm(['a'], 1)).not.toBe(valueTerm(['a'], '1'));
    expect(fieldTerm(['a.b'])).not.toBe(fieldTerm(['a', 'b']));
    expect(metadataTerms({ a: { exists: false } })).not.toContain(valueTerm(['a', 'exists'], true));
  });

  it('does not look into objects in arrays, as filters do not', () => {
    expect(metadataTerms({ list: [{ name: 'x' }] })).toEqual([fieldTerm(['list'])]);
  });

  it('stays short, whatever the value', () => {
    const [, term] = metadataTerms({ note: 'long '.repeat(1000) });
    expect(term!.length).toBeLessThan(80);
    expect(term).toBe(valueTerm(['note'], 'long '.repeat(1000)));
  });
});
