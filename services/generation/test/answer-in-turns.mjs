// Answers and asks from a hundred chunks of the largest size in a process of its own, and prints the longest turn of its event
// loop in milliseconds.
import { setTimeout } from 'node:timers/promises';
import { longestTurn } from '../../../libs/testing/dist/longest-turn.js';
import { inSteps } from '../dist/commands/in-steps.js';
import { answerExtractively } from '../dist/domain/extractive-answerer.js';
import { extractQuestions } from '../dist/domain/question-set.js';

const LENGTH = 99_000;
const place = { version: 1, score: 1, start: 0, end: LENGTH, page: null, heading: null, metadata: {} };
const sourcesOf = (count, textOf) =>
  Array.from({ length: count }, (_, at) => ({ id: `d:1:${at}`, documentId: `d${at}`, text: textOf(at), ...place }));
const sentences = (at) =>
  Array.from({ length: 1_500 }, (_, line) => `The notice period of contract ${at + line} is ${line} days in all. `);
const hostile = [
  sourcesOf(100, (at) => sentences(at).join('').slice(0, LENGTH)),
  sourcesOf(5, () => 'A. '.repeat(LENGTH / 3)),
];

const longest = await longestTurn(async () => {
  for (const sources of hostile) {
    await inSteps(answerExtractively('How long is the notice period of a contract?', sources));
    await setTimeout(2); // so that its last turn is seen
    await inSteps(extractQuestions(sources, { topic: 'notice', count: 100, mode: 'quiz' }));
    await setTimeout(2);
  }
});
process.stdout.write(String(longest));
