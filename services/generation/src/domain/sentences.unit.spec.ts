import { describe, expect, it } from '@jest/globals';
import { MAX_SENTENCE, sentencesOf } from './sentences.js';

const texts = (text: string) => sentencesOf(text).map((sentence) => sentence.text);

describe('sentencesOf', () => {
  it.each([
    ['en', 'Dr. Smith keeps logs, e.g. Traces, for 30 days. They are deleted after that.', 2],
    ['de', 'Die Frist beträgt z. B. 30 Tage. Danach wird gelöscht.', 2],
    ['zh', '上传文件最大为25兆字节。超过限制会被拒绝。', 2],
    ['ja', 'ファイルの上限は25MBです。超えると拒否されます。', 2],
    ['th', 'ไฟล์ที่อัปโหลดมีขนาดไม่เกิน 25 เมกะไบต์', 1],
    ['ar', 'الحد الأقصى لحجم الملف هو 25 ميغابايت. يتم رفض الملفات الأكبر.', 2],
  ])('cuts %s', (_, text, count) => expect(sentencesOf(text)).toHaveLength(count));

  it('keeps a hard-wrapped paragraph together', () => {
    expect(texts('The mesh keeps every\ndocument until someone\ndeletes it. It never forgets.')).toEqual([
      'The mesh keeps every\ndocument until someone\ndeletes it.',
      'It never forgets.',
    ]);
  });

  it('leaves the marks of notes with the sentence they stand behind, and does not end one within an address', () => {
    expect(
      texts('It was sold in 1975.[14] The firm grew.[15][16]: 111, 228 Various others followed. [2] Nobody did.'),
    ).toEqual([
      'It was sold in 1975.[14]',
      'The firm grew.[15][16]: 111, 228',
      'Various others followed.',
      '[2] Nobody did.',
    ]);
    const address = 'See https://example.org/read?tab=readme-ov-file for what options there are.';
    expect(texts(`${address} Then begin.`)).toEqual([address, 'Then begin.']);
  });

  it('leaves out Markdown headings, rules and code, and takes list items and rows without their marks', () => {
    const markdown = [
      '# Retention',
      '',
      '- Logs stay for 30 days',
      '* Traces stay for 7 days',
      '1. Backups stay for a year',
      '',
      '```ts',
      'const days = keep({ logs: 30 });',
      '```',
      '---',
      '| Kind | Days |',
      '|------|-----:|',
      '| Metrics | 90 days |',
    ].join('\n');
    const statements = sentencesOf(markdown).filter(({ isStatement }) => isStatement);
    expect(statements.map(({ text }) => text)).toContain('Metrics | 90 days');
    expect(texts(markdown).join('\n')).not.toMatch(/const|Retention|---|^\||^[-*] /m);
    expect(texts(markdown)).toEqual(expect.arrayContaining(['Logs stay for 30 days', 'Backups stay for a year']));
  });

  it('does not take a title for a statement', () => {
    const [title, statement] = sentencesOf('Data Retention Policy\n\nLogs are kept for thirty days in the archive.');
    expect(title).toMatchObject({ text: 'Data Retention Policy', isStatement: false });
    expect(statement).toMatchObject({ isStatement: true });
  });

  it('cuts text without full stops at a space, never inside a character', () => {
    const parts = sentencesOf('ภาษาไทยไม่มีจุด '.repeat(100) + '😀'.repeat(500) + 'x');
    expect(parts.length).toBeGreaterThan(2);
    for (const { text } of parts) {
      expect(text.length).toBeLessThanOrEqual(MAX_SENTENCE);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it('gives nothing for a text of symbols', () => expect(sentencesOf('=== *** ((( 123 )))\n}{;;')).toEqual([]));
});
