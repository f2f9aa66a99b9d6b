import { describe, expect, it } from '@jest/globals';
import { textOf, type AnswerEvent } from './answer-stream.js';
import { quote } from './source.js';
import { source } from './sources.fixture.js';
import { StopSequences, upToStop } from './stop-sequences.js';

const text = 'Bogs cover land [1].\n\nObservation: they store carbon [2].';
const stops = ['carbon', '\nObservation:'];

function passedOn(sequences: readonly string[], length: number): { text: string; isFound: boolean } {
  const stop = new StopSequences(sequences);
  let shown = '';
  for (let at = 0; at < text.length && !stop.isFound; at += length) shown += stop.push(text.slice(at, at + length));
  return { text: shown + stop.end(), isFound: stop.isFound };
}

describe('a text with stop sequences', () => {
  it.each([1, 2, 3, 7, 100])('ends before the first of them in pieces of %d', (length) => {
    expect(passedOn(stops, length)).toEqual({ text: 'Bogs cover land [1].\n', isFound: true });
  });

  it.each([1, 4, 100])('is whole where none of them comes, pieces of %d that begin like one included', (length) => {
    expect(passedOn(['[2].\n', 'Obsess'], length)).toEqual({ text, isFound: false });
    expect(passedOn([], length)).toEqual({ text, isFound: false });
  });
});

describe('an answer with stop sequences', () => {
  const sources = [source('Bogs cover land.'), source('They store carbon.')];
  const citations = sources.map((_, at) => quote(sources, at, { start: 0, end: 4 }));
  const said: AnswerEvent[] = [
    { type: 'delta', text: 'Bogs cover land [1].' },
    { type: 'citation', citation: citations[0]! },
    { type: 'delta', text: ' They store carbon [2].' },
    { type: 'citation', citation: citations[1]! },
  ];

  it('has what is cited until there', () => {
    const shown = upToStop(said, [' carbon']);
    expect(textOf(shown)).toBe('Bogs cover land [1]. They store');
    expect(shown.filter(({ type }) => type === 'citation')).toEqual([said[1]]);
  });

  it('is the same where none comes', () => {
    expect(upToStop(said, ['peat'])).toBe(said);
  });
});
