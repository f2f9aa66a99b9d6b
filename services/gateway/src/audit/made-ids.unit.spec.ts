import { describe, expect, it } from '@jest/globals';
import { madeIds } from './made-ids.js';

describe('the ids of what was made', () => {
  it.each<[string, unknown, string[]]>([
    ['one document', JSON.stringify({ id: 'a', status: 'uploaded' }), ['a']],
    ['several, some refused', JSON.stringify({ documents: [{ id: 'a' }, { error: {} }, { id: 'b' }] }), ['a', 'b']],
    ['a list of ids, some missing', '{"ids":["a",null]}', ['a']],
    ['an id that is no text', JSON.stringify({ id: 7 }), []],
    ['a list', '[{"id":"a"}]', []],
    ['nothing', undefined, []],
    ['bytes', Buffer.from('{"id":"a"}'), []],
    ['an id that is too long', JSON.stringify({ id: 'x'.repeat(401) }), []],
  ])('of an answer with %s', (_what, payload, ids) => {
    expect(madeIds(payload)).toEqual(ids);
  });
});
