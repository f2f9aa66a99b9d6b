import { describe, expect, it } from '@jest/globals';
import { chunkingOf } from './upload.js';

describe('how an upload is cut', () => {
  const usual = { size: 1000, overlap: 200 };

  it.each([
    ['as usual when it names nothing', {}, { size: 1000, overlap: 200 }],
    ['with the usual overlap, as far as the size it names has room', { chunkSize: 400 }, { size: 400, overlap: 100 }],
    ['with the usual overlap in larger chunks', { chunkSize: 2000 }, { size: 2000, overlap: 200 }],
    ['with the overlap it names', { chunkOverlap: 0 }, { size: 1000, overlap: 0 }],
  ])('is %s', (_, named, cut) => {
    expect(chunkingOf(named, usual)).toEqual(cut);
  });

  it('is refused when half of each chunk would be there twice', () => {
    const refusal = { code: 'REQUEST.INVALID', details: { field: 'chunk_overlap', limit: 500 } };
    expect(() => chunkingOf({ chunkOverlap: 500 }, usual)).toThrow(expect.objectContaining(refusal));
  });
});
