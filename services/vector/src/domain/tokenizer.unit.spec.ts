import { describe, expect, it } from '@jest/globals';
import { withinAttempts } from '@ragmesh/testing';
import { tokenize } from './tokenizer.js';

describe('tokenize', () => {
  it.each([
    ['English stems', 'The flies were running quickly', ['the', 'fli', 'were', 'run', 'quick']],
    ['German umlauts', 'Größe der Straße', ['gross', 'der', 'strass']],
    ['full-width forms', 'ＡＢＣ１２', ['abc12']],
    ['Chinese bigrams', '东京都,猫', ['东京', '京都', '猫']],
    ['Japanese across scripts', '東京タワー', ['東京', '京タ', 'タワ', 'ワー']],
    ['Korean within words', '서울 날씨', ['서울', '날씨']],
    ['Thai with marks', 'น้ำ', ['น้', '้ํ', 'ํา']],
    ['mixed scripts', 'GPT模型v2', ['gpt', '模型', 'v2']],
    ['rare ideographs', '𠮷野家', ['𠮷野', '野家']],
    ['Devanagari vowel signs kept', 'हिन्दी', ['हिन्दी']],
    ['nothing', ' —…😀! ', []],
  ])('%s', (_, text, expected) => {
    expect(tokenize(text, 'query')).toEqual(expected);
  });

  it('finds an Arabic word with and without article, vowel marks and spelling variants', () => {
    expect(tokenize('الكِتَابُ', 'query')).toEqual(tokenize('كتاب', 'query'));
    expect(tokenize('أحمد', 'query')).toEqual(tokenize('احمد', 'query'));
  });

  it('lets a query of one ideograph find longer words', () => {
    expect(tokenize('小猫咪', 'index')).toEqual(expect.arrayContaining(tokenize('猫', 'query')));
  });

  it('cuts endless words, so that one cannot fill the index', () => {
    expect(tokenize('x'.repeat(100_000), 'index')).toEqual(['x'.repeat(64)]);
  });

  it.each(['.', 'a.', ' ', '\n', '(', 'x', '字', '가', 'ก', 'e\u0301', '\u0301', '😀', 'ال'])(
    'takes about four times as long for four times as much of %j',
    async (pattern) => {
      const tokenizeMs = (length: number): number => {
        const text = pattern.repeat(length);
        const before = process.threadCpuUsage();
        tokenize(text, 'index');
        const { user, system } = process.threadCpuUsage(before);
        return (user + system) / 1_000;
      };
      const grown = () => tokenizeMs(100_000) / Math.max(10, tokenizeMs(25_000)); // less than that says nothing
      expect(await withinAttempts(3, grown, (times) => times < 8)).toBeLessThan(8);
    },
  );
});
