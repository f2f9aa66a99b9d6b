import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { freeIdSchema, idSchema } from '../api/paging.schema.js';
import { jsonSchema } from './json-schema.js';

describe('jsonSchema', () => {
  it('holds no reference, which would point into the document it is put into', () => {
    const made = jsonSchema(z.object({ metadata: z.record(z.string().max(200), z.json()), any: z.json() }), 'input');
    expect(JSON.stringify(made)).not.toMatch(/\$ref|\$defs/);
    expect(made).toMatchObject({ properties: { metadata: { additionalProperties: {} }, any: {} } });
  });

  it('has patterns that clients without Unicode classes can read, and that say the same', () => {
    const { pattern } = jsonSchema(freeIdSchema, 'input') as { pattern: string };
    expect(pattern).not.toContain('\\p');
    for (const [text, isFine] of [
      ['r\u00e9sum\u00e9 1', true],
      ['a\u0000b', false],
      ['a\u0085b', false],
      ['a\nb', false],
    ] as const) {
      expect(new RegExp(pattern).test(text)).toBe(isFine);
      expect(freeIdSchema.safeParse(text).success).toBe(isFine);
    }
  });

  it('tells of an id of a document or a collection what is taken: all of Latin-1 exactly, and every letter and digit', () => {
    const { pattern, maxLength, minLength } = jsonSchema(idSchema, 'input') as {
      pattern: string;
      maxLength: number;
      minLength: number;
    };
    expect([minLength, maxLength]).toEqual([1, 200]);
    expect(pattern).not.toContain('\\p');
    const isTold = [new RegExp(pattern), new RegExp(pattern, 'u')];
    for (let point = 0; point <= 0x10ffff; point += point < 0x3000 ? 1 : 97) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const sign = String.fromCodePoint(point);
      for (const text of [sign, `a${sign}`]) {
        const isTaken = idSchema.safeParse(text).success;
        const tells = isTold.map((shape) => shape.test(text));
        if (isTaken ? tells.includes(false) : point <= 0xff && tells.includes(true))
          throw new Error(`U+${point.toString(16)} is ${isTaken ? '' : 'not '}taken, and the description says else`);
      }
    }
  });
});
