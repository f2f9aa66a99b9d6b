import { describe, expect, it } from '@jest/globals';
import { LongText } from './long-text.js';

const text = 'Ein Fischreiher 鷺 steht am Ufer \u{1f41f} und wartet.';

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('a long text', () => {
  it.each([1, 2, 3, 7, 1_000])('is the same string in pieces of %i bytes, wherever it is cut', async (size) => {
    const long = await LongText.decoded(piecesOf(Buffer.from(text), size));
    expect(long.length).toBe(text.length);
    expect(long.toString()).toBe(text);
    for (let start = 0; start <= text.length; start += 1)
      for (let end = start; end <= text.length + 1; end += 1)
        expect(long.slice(start, end)).toBe(text.slice(start, end));
  });

  it('is empty when nothing came', async () => {
    const long = await LongText.decoded(piecesOf(Buffer.alloc(0), 1));
    expect([long.length, long.slice(0, 10)]).toEqual([0, '']);
  });
});
