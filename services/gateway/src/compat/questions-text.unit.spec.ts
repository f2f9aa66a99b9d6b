import { describe, expect, it } from '@jest/globals';
import { questionsText } from './questions-text.js';

const citation = { document_id: 'd-1', version: 1, start: 0, end: 5, text: 'Paris', page: 3, heading: null };
const asked = { question: 'What is the capital of France?', correct_answer: 'Paris', citation };

describe('questions as text', () => {
  it('numbers them, with answer, explanation and source', () => {
    const practice = { ...asked, options: [], explanation: 'The text says so.' };
    expect(questionsText([practice, { ...practice, explanation: '', citation: { ...citation, page: null } }])).toBe(
      [
        '1. What is the capital of France?\n   Answer: Paris\n   Explanation: The text says so.\n   Source: d-1, page 3',
        '2. What is the capital of France?\n   Answer: Paris\n   Source: d-1',
      ].join('\n\n'),
    );
  });

  it('letters the options of a quiz and says which is right', () => {
    expect(questionsText([{ ...asked, options: ['Rome', 'Paris'], explanation: '' }])).toBe(
      '1. What is the capital of France?\n   A) Rome\n   B) Paris\n   Answer: B) Paris\n   Source: d-1, page 3',
    );
  });

  it('says so when there are none', () => {
    expect(questionsText([])).toBe('The documents hold nothing to ask about.');
  });
});
