import { describe, expect, it } from '@jest/globals';
import { turnCursor, turnPage } from './turn-page.js';
import type { KeptTurn } from './turn.js';

const turn = (ordinal: number, text = 'x'): KeptTurn => ({
  ordinal,
  text,
  role: 'user',
  requestId: '',
  documentIds: [],
  withdrawn: false,
  createdAt: new Date(0),
});

describe('a page of turns', () => {
  it('ends at its size, and says where the next one starts', () => {
    const { page, nextCursor } = turnPage([turn(4), turn(5), turn(6)], 2);
    expect(page.map(({ ordinal }) => ordinal)).toEqual([4, 5]);
    expect(turnCursor(nextCursor)).toBe(5);
    expect(turnPage([turn(6)], 2).nextCursor).toBe('');
    expect(turnPage([], 2)).toEqual({ page: [], nextCursor: '' });
  });

  it('ends before its text outgrows a message, and holds one turn at least', () => {
    const long = 'x'.repeat(3_000_000);
    expect(turnPage([turn(1, long), turn(2, long)], 10)).toMatchObject({ page: [{ ordinal: 1 }], nextCursor: '1' });
    expect(turnPage([turn(1, long + long), turn(2)], 10)).toMatchObject({ page: [{ ordinal: 1 }], nextCursor: '1' });
  });

  it.each(['x', '-1', '1e3', '12345678901'])('does not start at a made-up place: %s', (cursor) => {
    expect(() => turnCursor(cursor)).toThrow(
      expect.objectContaining({ code: 'REQUEST.INVALID', details: { field: 'cursor' } }),
    );
  });
});
