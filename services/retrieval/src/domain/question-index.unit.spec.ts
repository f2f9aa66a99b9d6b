import { describe, expect, it } from '@jest/globals';
import { meanVector } from './mean-vector.js';
import { QuestionIndex } from './question-index.js';
import { bytesOf, floatsOf, normalised } from './vector-bytes.js';

const vector = (...values: number[]) => normalised(Float32Array.from(values));

describe('questions found by likeness', () => {
  it('are those at or above the threshold, most similar first', () => {
    const index = new QuestionIndex(10);
    index.add({ key: 'far', text: 'far', vector: vector(0, 1) });
    index.add({ key: 'near', text: 'near', vector: vector(1, 0.2) });
    index.add({ key: 'nearest', text: 'nearest', vector: vector(1, 0.1) });
    expect(index.similar({ text: 'this', vector: vector(1, 0) }, 0.95)).toEqual(['nearest', 'near']);
    index.remove('nearest');
    expect(index.similar({ text: 'this', vector: vector(1, 0) }, 0.95)).toEqual(['near']);
  });

  it.each([
    ['revenue in 2023', 'revenue in 2024', false],
    ['gate B12', 'gate b12', true],
    ['section 1.2', 'section 1.3', false],
    ['page 2 of 3', 'page 3 of 2', true],
    ['two whales', 'three whales', true],
  ])('name the same figures: %s, %s', (known, asked, isSimilar) => {
    const index = new QuestionIndex(10);
    index.add({ key: 'known', text: known, vector: vector(1, 0) });
    expect(index.similar({ text: asked, vector: vector(1, 0) }, 0.95)).toEqual(isSimilar ? ['known'] : []);
  });

  it('are the last ones asked, made by one model', () => {
    const index = new QuestionIndex(2);
    for (const key of ['one', 'two', 'three']) index.add({ key, text: key, vector: vector(1, 0) });
    expect(index.similar({ text: 'x', vector: vector(1, 0) }, 0.9).sort()).toEqual(['three', 'two']);
    expect(index.similar({ text: 'x', vector: vector(1, 0, 0) }, 0.9)).toEqual([]);
  });
});

describe('the mean of vectors', () => {
  it('has length 1 and lies between them, whatever the alignment of the bytes', () => {
    const both = bytesOf(Float32Array.from([1, 0, 0, 1]));
    const shifted = new Uint8Array(both.length + 1);
    shifted.set(both, 1);
    const mean = floatsOf(meanVector(shifted.subarray(1), 2));
    expect([...mean].map((value) => value.toFixed(4))).toEqual(['0.7071', '0.7071']);
  });
});
