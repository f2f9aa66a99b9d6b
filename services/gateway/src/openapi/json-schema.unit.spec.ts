import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { idSchema } from '../api/paging.schema.js';
import { jsonSchema } from './json-schema.js';

describe('jsonSchema', () => {
  it('holds no reference, which would point into the document it is put into', () => {
    const made = jsonSchema(z.object({ metadata: z.record(z.string().max(200), z.json()), any: z.json() }), 'input');
    expect(JSON.stringify(made)).not.toMatch(/\$ref|\$defs/);
    expect(made).toMatchObject({ properties: { metadata: { additionalProperties: {} }, any: {} } });
  });

  it('has patterns that clients without Unicode classes can read, and that say the same', () => {
    const { pattern } = jsonSchema(idSchema, 'input') as { pattern: string };
    expect(pattern).not.toContain('\\p');
    for (const [text, isFine] of [
      ['r\u00e9sum\u00e9 1', true],
      ['a\u0000b', false],
      ['a\u0085b', false],
      ['a\nb', false],
    ] as const) {
      expect(new RegExp(pattern).test(text)).toBe(isFine);
      expect(idSchema.safeParse(text).success).toBe(isFine);
    }
  });
});
