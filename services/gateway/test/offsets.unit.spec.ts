import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { describeWithServer } from '@ragmesh/testing';
import { documentChunk } from '../src/api/document.schema.js';
import { PYTHON_SLICE } from '../src/api/offset.schema.js';
import { questionsAnswer } from '../src/api/questions.schema.js';
import { citationSchema, resultSchema } from '../src/api/search.schema.js';
import { jsonSchema } from '../src/openapi/json-schema.js';

const text = 'Zeta 🦩 wades; 𝄞 sounds. É\nThe flamingo 🦩🦩 rests.';

describe('offsets', () => {
  const { citation } = questionsAnswer.shape.questions.element.shape;

  it.each([
    ['a result', resultSchema],
    ['a citation', citationSchema],
    ['a chunk', documentChunk],
    ['the citation of a question', citation],
  ])('of %s say in what they are counted, and how Python reads them', (_what, schema) => {
    const { properties } = jsonSchema(schema, 'output') as { properties: Record<string, { description: string }> };
    for (const field of ['start', 'end']) {
      expect(properties[field]!.description).toContain('UTF-16 code units');
      expect(properties[field]!.description).toContain(PYTHON_SLICE);
    }
  });
});

describeWithServer('python-clients', 'offsets in Python', () => {
  it.each([
    [0, 7],
    [5, 7],
    [15, 17],
    [text.indexOf('The'), text.length],
  ])('from %s to %s cut the same text as here', (start, end) => {
    const script = `import json,sys\ntext,start,end=json.load(sys.stdin)\nprint(json.dumps(${PYTHON_SLICE}))`;
    const { stdout } = spawnSync('python3', ['-c', script], { input: JSON.stringify([text, start, end]) });
    expect(JSON.parse(String(stdout))).toBe(text.slice(start, end));
  });
});
