import { describe, expect, it } from '@jest/globals';
import { CitationChecker } from './citation-checker.js';
import { seeded, source } from './sources.fixture.js';

const sources = [
  source('Cats sleep all day. Dogs bark at night.', { documentId: 'animals' }),
  source('Logs are kept for 30 days.', { documentId: 'ops', start: 0 }),
];

function check(pieces: readonly string[]) {
  const checker = new CitationChecker(sources);
  const events = [...pieces.flatMap((piece) => checker.push(piece)), ...checker.end()];
  const text = events.flatMap((event) => (event.type === 'delta' ? event.text : [])).join('');
  const citations = events.flatMap((event) => (event.type === 'citation' ? event.citation : []));
  return { text, citations, removed: checker.removed };
}

describe('CitationChecker', () => {
  it('cites the sentence of the source that fits the claim', () => {
    const { text, citations } = check(['Dogs are loud at night [1]. Logs stay a month [2].']);
    expect(text).toBe('Dogs are loud at night [1]. Logs stay a month [2].');
    expect(citations).toMatchObject([
      { index: 1, source: 0, documentId: 'animals', start: 120, end: 139, text: 'Dogs bark at night.' },
      { index: 2, source: 1, documentId: 'ops', start: 0, text: 'Logs are kept for 30 days.' },
    ]);
  });

  it('removes and counts markers without a source, and leaves no gap', () => {
    expect(check(['True [9]. Also [1, 7] and [0] and 【2】.'])).toMatchObject({
      text: 'True. Also [1] and and [2].',
      removed: 3,
    });
  });

  it('takes ranges apart, and removes those without a source', () => {
    expect(check(['Both [1-2]. Some [2–4]. None [7–9]. Never [3 - 5; 8].'])).toMatchObject({
      text: 'Both [1][2]. Some [2]. None. Never.',
      removed: 2 + 3 + 4,
      citations: [{ index: 1 }, { index: 2 }],
    });
    const text = 'A digit [0-9], back [3-1], the years [1998-2004].';
    expect(check([text])).toMatchObject({ text, citations: [], removed: 0 });
  });

  it('leaves an interval or an array alone, which names a 0', () => {
    const text = 'Cats sleep in [0, 1], [0; 0.5], [2, 0] and 【0，1】.';
    expect(check([text])).toMatchObject({ text, citations: [], removed: 0 });
  });

  it('checks what follows a backtick without its other one from the next paragraph on', () => {
    expect(check(['The ` key [9].\n \nTrue [9]. Two `` [8].\n\nAlso [7] and [1].'])).toMatchObject({
      text: 'The ` key [9].\n \nTrue. Two `` [8].\n\nAlso and [1].',
      removed: 2,
    });
    const fenced = '```\nx[7]\n\ny[8]\n```';
    expect(check([fenced])).toMatchObject({ text: fenced, removed: 0 });
  });

  it('does not take long over a bracket full of digits', () => {
    const text = `[${'1'.repeat(30)}x`;
    expect(check([text.repeat(50)])).toMatchObject({ text: text.repeat(50), removed: 0 });
  });

  it('leaves other brackets and code alone', () => {
    const text = 'See [the docs] and `args[9]`:\n```\nx[7] = y[1]\n```\nan open [1';
    expect(check([text])).toMatchObject({ text, citations: [], removed: 0 });
  });

  it('gives the same, however the answer is cut', () => {
    const random = seeded(9);
    const answer = 'Dogs bark [1][2], `a[8]` logs [ 2 ; 5 ] stay 【2】 [12] [1–2].  End [x] [1';
    const whole = check([answer]);
    for (let round = 0; round < 200; round++) {
      const pieces: string[] = [];
      for (let at = 0; at < answer.length;) {
        const length = 1 + Math.floor(random() * 6);
        pieces.push(answer.slice(at, at + length));
        at += length;
      }
      expect(check(pieces)).toEqual(whole);
    }
    expect(whole.text).not.toMatch(/\[(?:5|12)\]/);
  });
});
