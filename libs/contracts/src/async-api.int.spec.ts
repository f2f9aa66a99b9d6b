import { Parser } from '@asyncapi/parser';
import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument, eventSpecs } from './index.js';

describe('asyncApiDocument', () => {
  it('is a valid AsyncAPI document that names every event', async () => {
    const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument()));
    expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
    const named = document!
      .messages()
      .all()
      .map((message) => message.name());
    expect(new Set(named)).toEqual(new Set(eventSpecs.map(({ type }) => type)));
  });
});
