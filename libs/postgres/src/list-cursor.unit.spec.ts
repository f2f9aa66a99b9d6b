import { describe, expect, it } from '@jest/globals';
import { decodeCursor, encodeCursor } from './list-cursor.js';

describe('a list cursor', () => {
  it.each(['notes', 'größe:v1.0@acme', '日本語', 'a'.repeat(200)])('leads back to %s at the same microsecond', (id) => {
    const position = { createdMicros: '1767312000123457', id };
    const cursor = encodeCursor(position);
    expect(decodeCursor(cursor)).toEqual(position);
    expect(encodeURIComponent(cursor)).toBe(cursor);
  });

  it('leads to the start of the list when it is empty', () => {
    expect(decodeCursor('')).toBeUndefined();
  });

  it.each([
    'notes',
    Buffer.from('12').toString('base64url'),
    Buffer.from('-1 notes').toString('base64url'),
    Buffer.from(`${'9'.repeat(30)} notes`).toString('base64url'),
  ])('that was made up is refused: %s', (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(
      expect.objectContaining({ code: 'REQUEST.INVALID', details: { field: 'cursor' } }),
    );
  });
});
