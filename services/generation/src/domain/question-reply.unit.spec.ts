import { describe, expect, it } from '@jest/globals';
import { questionsIn } from './question-reply.js';
import { source } from './sources.fixture.js';

const sources = [
  source('Peat bogs cover three percent\nof the land.', { start: 0 }),
  source('Fens are fed by ground water.', { start: 900, documentId: 'e' }),
];

const entry = {
  question: 'How much of the land do peat bogs cover?',
  options: ['one percent', 'three percent', 'ten percent', 'half'],
  correct_answer: 'three percent',
  explanation: 'The text says so.',
  source: 1,
  quote: 'cover three percent of the land',
};
const read = (...questions: unknown[]) => questionsIn(JSON.stringify({ questions }), sources, 'quiz');

describe('a model’s questions', () => {
  it('are taken with the place of their quote, whatever its spaces', () => {
    const [question] = read(entry);
    const { citation, options } = question!;
    expect(options.toSorted()).toEqual(entry.options.toSorted());
    expect(citation).toMatchObject({ index: 1, source: 0, documentId: 'd' });
    expect(sources[0]!.text.slice(citation.start, citation.end)).toBe(citation.text);
    expect(citation.text.replace('\n', ' ')).toBe(entry.quote);
  });

  it('are found where the quote stands, though another source was named', () => {
    const [question] = read({ ...entry, quote: 'Fens are fed by ground water.' });
    expect(question!.citation).toMatchObject({ source: 1, documentId: 'e', start: 900, end: 929 });
    expect(read({ ...entry, source: 40 })).toHaveLength(1);
  });

  it('are dropped one by one where they do not hold', () => {
    const wrong = [
      { ...entry, quote: 'cover four percent of the land' },
      { ...entry, quote: 'of the' },
      { ...entry, correct_answer: 'five percent' },
      { ...entry, options: ['three percent', 'Three percent', 'ten percent'] },
      { ...entry, options: ['three percent', 'ten percent'] },
      { ...entry, explanation: undefined },
      { ...entry, source: 'first' },
      'How much?',
      null,
    ];
    expect(read(...wrong)).toEqual([]);
    expect(read(...wrong, entry, entry)).toHaveLength(1);
  });

  it('carry no address that no source holds, and no tag', () => {
    expect(read({ ...entry, explanation: 'See https://evil.example/?q=secret for more.' })).toEqual([]);
    expect(read({ ...entry, question: 'What is ![this](https://evil.example/pixel.png)?' })).toEqual([]);
    const [question] = read({ ...entry, explanation: 'The <b>text</b> says so.' });
    expect(question!.explanation).toBe('The text says so.');
  });

  it.each([
    ['prose', 'Here are your questions: 1. How much?'],
    ['a cut reply', JSON.stringify({ questions: [entry] }).slice(0, -5)],
    ['another shape', JSON.stringify([entry])],
    ['nothing', ''],
  ])('are none in %s', (_what, reply) => expect(questionsIn(reply, sources, 'quiz')).toEqual([]));

  it('may stand in a code fence', () => {
    const fenced = `\`\`\`json\n${JSON.stringify({ questions: [entry] }, null, 2)}\n\`\`\``;
    expect(questionsIn(fenced, sources, 'practice')).toMatchObject([{ options: [], correctAnswer: 'three percent' }]);
  });
});
