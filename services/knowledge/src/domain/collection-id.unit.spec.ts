import { describe, expect, it } from '@jest/globals';
import { checkCollectionId } from './collection-id.js';

describe('checkCollectionId', () => {
  it.each(['a', 'default', 'Handbuch-2026', 'größe:v1.0@acme+x', '日本語', 'x'.repeat(200)])('takes %s', (id) => {
    expect(checkCollectionId(id)).toBe(id);
  });

  it.each(['', ' a', 'a b', 'a/b', '.hidden', '../etc', 'a\u0000', 'x'.repeat(201)])(
    'refuses %j and names the field',
    (id) => {
      expect(() => checkCollectionId(id)).toThrow(
        expect.objectContaining({ code: 'REQUEST.INVALID', details: { field: 'id', limit: 200 } }),
      );
    },
  );
});
