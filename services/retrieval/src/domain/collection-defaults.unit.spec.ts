import { describe, expect, it } from '@jest/globals';
import { collectionDefaults } from './collection-defaults.js';
import { parseSearchQuery } from './search-query.js';

const search = (fields: object, defaults = {}) =>
  parseSearchQuery({ query: 'bees', collection: '', mode: '', topK: 0, fusion: '', ...fields }, 0.6, defaults);

describe('the search defaults of a collection', () => {
  const defaults = collectionDefaults({ fusion: 'rrf', topK: 5, mmr: 0.7, rerank: true, alpha: undefined });

  it('stand where a request says nothing, and yield where it does', () => {
    expect(search({}, defaults)).toMatchObject({ fusion: 'rrf', topK: 5, mmr: 0.7, rerank: true, alpha: 0.6 });
    const said = search({ fusion: 'weighted', topK: 2, mmr: 1, rerank: false }, defaults);
    expect(said).toMatchObject({ fusion: 'weighted', topK: 2, mmr: 1, rerank: false });
    expect(search({}, collectionDefaults({}))).toEqual(search({}));
    const deep = { multiQuery: true, hyde: true, selfCheck: true, granularity: 'parent' };
    expect(search({ granularity: '' }, collectionDefaults(deep))).toMatchObject(deep);
    expect(search({ hyde: false, granularity: 'chunk' }, collectionDefaults(deep))).toMatchObject({
      ...{ multiQuery: true, hyde: false, granularity: 'chunk' },
    });
  });

  it.each([
    ['a value out of its limits', { alpha: 2 }, /alpha .* 0 to 1/],
    ['an unknown way to fuse', { fusion: 'best' }, /fusion .* weighted, rrf/],
  ])('are refused with %s', (_, defaults, message) => {
    expect(() => collectionDefaults(defaults)).toThrow(message);
  });
});

describe('the fields of a search', () => {
  it.each([
    ['mmr', { mmr: 1.1 }],
    ['mmr', { mmr: NaN }],
    ['fusion', { fusion: 'sum' }],
    ['granularity', { granularity: 'page' }],
  ])('are refused by name: %s', (field, fields) => {
    expect(() => search(fields)).toThrow(expect.objectContaining({ code: 'REQUEST.INVALID', details: { field } }));
  });

  it('leave HyDE out of a lexical search, which has no vector', () => {
    expect(search({ hyde: true, mode: 'lexical' }).hyde).toBe(false);
    expect(search({ hyde: true }).hyde).toBe(true);
  });
});
