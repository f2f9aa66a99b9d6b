import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { retrievalConfig } from '../retrieval.config.js';
import { SimilarQuestions } from './similar-questions.js';

const vector = Float32Array.of(1, 0);
const remembering = (size: number) =>
  new SimilarQuestions(loadConfig(retrievalConfig, { CACHE_SIMILARITY: '0.9', CACHE_SIZE: `${size}` }));

const kinds = Array.from({ length: 100 }, (_, at) => `kind ${at}`);
const found = (questions: SimilarQuestions, kind: string) => questions.find(kind, { text: 'this', vector });

describe('remembered questions', () => {
  it('are of all kinds together no more than results are kept, and those asked last', () => {
    const questions = remembering(100);
    for (let at = 0; at < 20_000; at += 1)
      questions.remember(kinds[at % 100]!, { key: `key ${at}`, text: 'this', vector });
    const held = kinds.flatMap((kind) => found(questions, kind));
    expect(held).toEqual(Array.from({ length: 100 }, (_, at) => `key ${19_900 + at}`));
    expect(questions.size).toBe(100);
  });

  it('are held once however often they are asked, and stay while they are of use', () => {
    const questions = remembering(2);
    for (const key of ['a', 'a', 'b']) questions.remember(key, { key, text: 'this', vector });
    expect([questions.size, found(questions, 'a')]).toEqual([2, ['a']]);
    questions.remember('c', { key: 'c', text: 'this', vector });
    expect(['a', 'b', 'c'].map((kind) => found(questions, kind))).toEqual([['a'], [], ['c']]);
    questions.forget('a', 'a');
    expect([questions.size, found(questions, 'a')]).toEqual([1, []]);
  });

  it('make room for others in time: a new one is compared with few of its kind', () => {
    const questions = remembering(10_000);
    for (let at = 0; at < 600; at += 1) questions.remember('kind', { key: `key ${at}`, text: 'this', vector });
    expect(questions.size).toBe(500);
    expect(found(questions, 'kind')).toHaveLength(500);
  });
});
