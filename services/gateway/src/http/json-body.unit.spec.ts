import { describe, expect, it } from '@jest/globals';
import { MAX_JSON_VALUES, parseJsonBody } from './json-body.js';
import { isNestedDeeperThan, isValueDeeperThan } from './json-scan.js';

const nested = (levels: number): Buffer => Buffer.from('['.repeat(levels) + ']'.repeat(levels));
const fault = (text: string): { code: string; field: unknown } => {
  try {
    parseJsonBody(Buffer.from(text));
  } catch (error) {
    const { code, details } = error as { code: string; details: Record<string, unknown> };
    return { code, field: details['field'] };
  }
  throw new Error('It was taken');
};

describe('depth of JSON', () => {
  it('is allowed up to the limit and refused one above', () => {
    expect(isNestedDeeperThan(nested(32), 32)).toBe(false);
    expect(isNestedDeeperThan(nested(33), 32)).toBe(true);
    expect(isNestedDeeperThan(Buffer.from(JSON.stringify(Array.from({ length: 100 }, () => [[]]))), 3)).toBe(false);
  });

  it('does not count brackets inside strings, whatever is escaped there', () => {
    for (const text of ['[[[[', '\\"[[[[', 'a"[[[[', '\\\\"[[[[', '{{{{\\']) {
      expect(isNestedDeeperThan(Buffer.from(JSON.stringify([text])), 1)).toBe(false);
      expect(isNestedDeeperThan(Buffer.from(JSON.stringify([text, [[]]])), 2)).toBe(true);
    }
  });

  it('counts the same in what is parsed already, however deep it is', () => {
    for (const levels of [31, 32, 33, 5_000])
      expect(isValueDeeperThan(JSON.parse(String(nested(levels))), 32)).toBe(levels > 32);
    expect(isValueDeeperThan({ wide: [{ a: [1] }, null, 'x'], b: {} }, 4)).toBe(false);
    expect(isValueDeeperThan({ wide: [{ a: [1] }, null, 'x'], b: {} }, 3)).toBe(true);
    expect(isValueDeeperThan('text', 0)).toBe(false);
  });

  it('ends on a string that never does', () => {
    expect(isNestedDeeperThan(Buffer.from('["[[['), 1)).toBe(false);
  });
});

describe('parseJsonBody', () => {
  it('gives what was sent, and undefined for nothing', () => {
    expect(parseJsonBody(Buffer.from('{"a":["ü","😀"]}'))).toEqual({ a: ['ü', '😀'] });
    expect(parseJsonBody(Buffer.alloc(0))).toBeUndefined();
  });

  it('refuses more values than one body may hold, and takes the most that one upload can need', () => {
    const many = `[${Array.from({ length: MAX_JSON_VALUES }, () => '[]').join(',')}]`;
    expect(fault(many)).toEqual({ code: 'REQUEST.TOO_LARGE', field: 'body' });
    const metadata = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`field,${at}`, 'a,[']));
    const chunks = Array.from({ length: 10_000 }, () => ({ text: 'a,[{', metadata }));
    expect(parseJsonBody(Buffer.from(JSON.stringify({ chunks })))).toEqual({ chunks });
  });

  it('names where unstorable text stands', () => {
    expect(fault('{"a":{"b":["x","\\u0000"]}}')).toEqual({ code: 'REQUEST.INVALID', field: 'a.b[1]' });
    expect(fault('{"a":"\\udc00"}')).toEqual({ code: 'REQUEST.INVALID', field: 'a' });
    expect(fault('{"a\\u0000":1}')).toEqual({ code: 'REQUEST.INVALID', field: 'name' });
    expect(fault('{"a":"x\0y"}')).toEqual({ code: 'REQUEST.INVALID', field: 'a' });
  });

  it('refuses a reserved name and what is no JSON', () => {
    expect(fault('{"__proto__":{}}')).toEqual({ code: 'REQUEST.INVALID', field: '__proto__' });
    expect(fault('{"a":1,}')).toEqual({ code: 'REQUEST.MALFORMED', field: undefined });
  });
});
