import { describe, expect, it } from '@jest/globals';
import { checkChunkingDefaults, checkRetrievalDefaults, type RetrievalDefaults } from './collection-settings.js';

describe('checkRetrievalDefaults', () => {
  it('takes what a search could ask for', () => {
    const defaults = { mode: 'hybrid', topK: 5, alpha: 0.3, minScore: 0, fusion: 'rrf', mmr: 1, rerank: true };
    expect(checkRetrievalDefaults(defaults)).toEqual(defaults);
    const further = { multiQuery: true, hyde: true, selfCheck: false, granularity: 'parent' };
    expect(checkRetrievalDefaults(further)).toEqual(further);
    expect(checkRetrievalDefaults({})).toEqual({});
  });

  it.each<[string, RetrievalDefaults]>([
    ['defaults.mode', { mode: 'psychic' }],
    ['defaults.top_k', { topK: 101 }],
    ['defaults.alpha', { alpha: 1.5 }],
    ['defaults.mmr', { mmr: Number.NaN }],
    ['defaults.min_score', { minScore: -1 }],
    ['defaults.fusion', { fusion: 'a b' }],
    ['defaults.granularity', { granularity: 'page' }],
  ])('refuses a bad %s by its name', (field, defaults) => {
    expect(() => checkRetrievalDefaults(defaults)).toThrow(field);
  });
});

describe('checkChunkingDefaults', () => {
  it('refuses what no reindex could cut by', () => {
    expect(checkChunkingDefaults({ size: 64, overlap: 8 })).toEqual({ size: 64, overlap: 8 });
    expect(() => checkChunkingDefaults({ size: 10, overlap: 0 })).toThrow('chunking.size');
    expect(() => checkChunkingDefaults({ size: 64, overlap: 32 })).toThrow('chunking.overlap');
  });
});
