import { describe, expect, it } from '@jest/globals';
import { questionFrom, shortfallOf } from './quality.js';

const floors = { overlap: 0.5, selfRetrieval: 0.8 };
const good = { questions: 50, overlap: 0.7, selfRetrieval: 0.9, liveSelfRetrieval: 0.95 };

describe('shortfallOf', () => {
  it('lets a generation pass that reaches both floors', () => {
    expect(shortfallOf(good, floors)).toBeUndefined();
  });

  it('names each figure that is too low', () => {
    expect(shortfallOf({ ...good, overlap: 0.2, selfRetrieval: 0.4 }, floors)).toBe(
      'Over 50 questions the new generation has overlap 20 % instead of 50 % and self-retrieval 40 % instead of 80 %; readers keep what they see.',
    );
  });

  it('does not ask for more than what readers have', () => {
    expect(shortfallOf({ ...good, selfRetrieval: 0.6, liveSelfRetrieval: 0.6 }, floors)).toBeUndefined();
    expect(shortfallOf({ ...good, selfRetrieval: 0.5, liveSelfRetrieval: 0.6 }, floors)).toBe(
      'Over 50 questions the new generation has self-retrieval 50 % instead of 60 %; readers keep what they see.',
    );
  });
});

describe('questionFrom', () => {
  it('takes a title that says something, else the first sentence', () => {
    expect(questionFrom('How herons fish', 'Anything. Else.')).toBe('How herons fish');
    expect(questionFrom('notes.md', 'Herons stand still\nfor hours. Then they strike.')).toBe(
      'Herons stand still for hours.',
    );
  });

  it('is bounded, whatever the text is', () => {
    expect(questionFrom('x', 'a'.repeat(10_000)).length).toBe(200);
    expect(questionFrom('', '')).toBe('');
  });
});
