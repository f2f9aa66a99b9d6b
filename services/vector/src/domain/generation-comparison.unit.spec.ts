import { describe, expect, it } from '@jest/globals';
import { compareGenerations } from './generation-comparison.js';

describe('compareGenerations', () => {
  it('is the mean share of documents found by both, and of questions that find their own document', () => {
    const questions = [
      { documentId: 'a', live: ['a', 'b'], other: ['b', 'a'] },
      { documentId: 'c', live: ['c', 'd'], other: ['d', 'e'] },
    ];
    expect(compareGenerations(questions)).toEqual({ overlap: 0.75, liveSelfRetrieval: 1, selfRetrieval: 0.5 });
  });

  it('does not count against a generation what the live one does not find', () => {
    const questions = [{ documentId: 'a', live: [], other: ['a'] }];
    expect(compareGenerations(questions)).toEqual({ overlap: 1, liveSelfRetrieval: 0, selfRetrieval: 1 });
  });

  it('has nothing against a generation that was asked nothing', () => {
    expect(compareGenerations([])).toEqual({ overlap: 1, liveSelfRetrieval: 1, selfRetrieval: 1 });
  });
});
