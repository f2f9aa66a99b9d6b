import { describe, expect, it } from '@jest/globals';
import { collectionDefaults } from '../../retrieval/src/domain/collection-defaults.js';
import { FUSIONS } from '../../retrieval/src/domain/search-query.js';
import { collectionChange, collectionSchema } from '../src/api/collection.schema.js';

const refused = (defaults: object): string[] =>
  collectionChange.safeParse({ defaults }).error?.issues.map(({ path }) => path.join('.')) ?? [];

describe('the search defaults a collection is given', () => {
  it('take every way to fuse that retrieval knows', () => {
    for (const fusion of FUSIONS) {
      expect(refused({ fusion })).toEqual([]);
      expect(collectionDefaults({ fusion })).toEqual({ fusion });
    }
  });

  it('take no other, which would switch all of them off', () => {
    expect(refused({ fusion: 'rff' })).toEqual(['defaults.fusion']);
    expect(refused({ fusion: '' })).toEqual(['defaults.fusion']);
    expect(() => collectionDefaults({ fusion: 'rff', topK: 5 })).toThrow(/fusion/);
  });

  it('are shown as they are kept, also what was written before or by a later release', () => {
    const shown = collectionSchema.shape.defaults.parse({ fusion: 'later', top_k: 5 });
    expect(shown).toEqual({ fusion: 'later', top_k: 5 });
  });
});
