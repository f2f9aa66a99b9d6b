import { expect, it } from '@jest/globals';
import { withinAttempts } from '@ragmesh/testing';
import { answerExtractively } from './extractive-answerer.js';
import { extractQuestions } from './question-set.js';
import { finished, source } from './sources.fixture.js';

const LENGTH = 12_000;
/** Less than this says nothing about how the time grows. */
const LEAST_MS = 10;
const order = { topic: 'notice', count: 20, mode: 'quiz' } as const;

const cpuMs = (work: () => void): number => {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
};

it.each(
  [
    ...[
      'A. ',
      'e.g. ',
      'X is a y. ',
      '. ',
      '.',
      'a.',
      '? ',
      '."',
      '(',
      '[a](',
      '**a',
      '| ',
      '\t',
      '- ',
      '#',
      '`',
      '<a',
    ],
    ...['\n', ' \n', ' ', '\u2029', 'a', 'notice ', '字', '字。', 'ก', '가', 'e\u0301'],
  ].map((pattern) => [JSON.stringify(pattern), pattern] as const),
)('four times as much of %s takes about four times as long to read', async (_, pattern) => {
  const readMs = (length: number): number => {
    const sources = [source(`The notice period is short. ${pattern.repeat(length / pattern.length)} end.`)];
    return cpuMs(() => {
      finished(answerExtractively('notice period', sources));
      finished(extractQuestions(sources, order));
    });
  };
  const grown = () => readMs(4 * LENGTH) / Math.max(LEAST_MS, readMs(LENGTH));
  expect(await withinAttempts(3, grown, (times) => times < 8)).toBeLessThan(8);
});
