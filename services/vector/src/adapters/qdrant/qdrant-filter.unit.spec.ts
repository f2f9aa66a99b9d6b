import { describe, expect, it } from '@jest/globals';
import { evaluateFilter, type Metadata } from '../../domain/metadata-filter.js';
import { parseMetadataFilter } from '../../domain/metadata-filter-parser.js';
import { passes, type QdrantFilter } from '../../../test/qdrant-stand-in/payload-filter.js';
import { compileFilter } from './qdrant-filter.js';
import { filterable } from './qdrant-point.js';

const documents: Metadata[] = [
  {},
  { year: 2020, colour: 'red', tags: ['a', 'b'], deep: { name: 'x', 'odd name': 3 } },
  { year: 2024, colour: null, tags: [], published: '2024-05-01' },
  { year: '2024', colour: ['red', 'blue'], tags: [1, null], deep: { name: ['x', 'y'] } },
  { year: [1999, 2030], published: 'later', deep: [{ name: 'x' }], flag: true },
];

const filters: [string, object, boolean][] = [
  ['equality', { colour: 'red' }, true],
  ['a number', { year: 2024 }, true],
  ['null, which a missing field equals', { colour: null }, true],
  ['one of several types', { tags: { $in: ['a', 1, null] } }, true],
  ['inequality', { colour: { $ne: 'red' } }, true],
  ['none of', { year: { $nin: [2020, '2024'] } }, true],
  ['a range of numbers', { year: { $gte: 2000, $lt: 2024 } }, true],
  ['not in a range', { year: { $not: { $gt: 2000 } } }, true],
  ['a range of texts', { published: { $gte: '2024-01-01', $lt: '2025' } }, false],
  ['not in a range of texts', { published: { $not: { $gte: '2024-01-01' } } }, false],
  ['existence', { deep: { $exists: true } }, true],
  ['absence', { 'deep.name': { $exists: false } }, true],
  ['a nested name', { 'deep.name': 'x' }, true],
  ['a name with a space', { 'deep.odd name': { $gt: 2 } }, true],
  ['any of', { $or: [{ colour: 'blue' }, { year: { $lt: 2000 } }] }, true],
  ['any of, one of them not exact', { $or: [{ flag: true }, { published: { $gt: 'a' } }] }, false],
  ['none of both', { $not: { $and: [{ colour: 'red' }, { year: 2020 }] } }, true],
  ['everything', { $and: [{}] }, true],
  ['nothing', { $not: {} }, true],
];

const asPoint = (payload: object) => ({ id: 1, vectors: {}, payload: { ...payload }, version: 1, sequence: 1 });

/** Whether Qdrant would look at the point, and whether it should. */
function verdicts(input: object, metadata: Metadata, payload: object = filterable(metadata)) {
  const filter = parseMetadataFilter(input);
  const condition = compileFilter(filter).condition as QdrantFilter | undefined;
  const found = passes(condition && { must: [condition] }, asPoint(payload));
  return { found, wanted: evaluateFilter(filter, metadata) };
}

/** Each two differ in the first bytes, or beyond them, or in how UTF-8 and UTF-16 order them. */
const texts = [
  ...[
    '',
    '\0',
    'a',
    'a\0',
    'ab',
    'abcde',
    'abcdef',
    'abcdefghij',
    'abcdefghijk',
    'abcdefghijz',
    'b',
    'Z',
    'é',
    'ж',
    '日本',
  ],
  ...['2025', '2025-05-31', '2025-06-01', '2025-06-01T12:00:00Z', '\ufffd', '😀', '\ud83d', '日\ufffd', '日😀'],
];

describe('a range of texts in Qdrant’s terms', () => {
  it.each(['$gt', '$gte', '$lt', '$lte'])('lets pass every text that is %s another', (operator) => {
    const pairs = texts.flatMap((text) => texts.map((bound) => ({ text, bound })));
    const lost = pairs.filter(({ text, bound }) => {
      const { found, wanted } = verdicts({ 'a.b': { [operator]: bound } }, { a: { b: text } });
      return wanted && !found;
    });
    expect(lost).toEqual([]);
  });

  it.each([
    [{ day: { $gte: '2025-06-01' } }, { day: '2025-05-31' }],
    [{ day: { $lt: '2025-06-01' } }, { day: ['2025-06-02', '2025-07-01'] }],
    [{ day: { $gte: '2025-06-01', $lt: '2025-07' } }, { day: '2025-07-01T00:00:00Z', other: '2025-06-15' }],
    [{ 'the "day"': { $gt: '2025-06-01' } }, { 'the "day"': '2025-05' }],
    [{ day: { $lt: '' } }, { day: 'some' }],
  ])('keeps back for %j what is of another day: %j', (input, metadata) => {
    expect(verdicts(input, metadata as Metadata)).toEqual({ found: false, wanted: false });
  });

  it('passes points that an earlier release wrote, where they have the field', () => {
    const { text_order: _, ...before } = filterable({ day: '2025-06-02' });
    const input = { day: { $gte: '2025-06-01' } };
    expect(verdicts(input, before.metadata, before)).toEqual({ found: true, wanted: true });
    expect(verdicts({ other: { $gte: '2025' } }, before.metadata, before)).toEqual({ found: false, wanted: false });
  });
});

describe('a filter in Qdrant’s terms', () => {
  it.each(filters)('lets pass what %s lets pass', (_name, input, exact) => {
    expect(compileFilter(parseMetadataFilter(input)).exact).toBe(exact);
    for (const metadata of documents) {
      const { found, wanted } = verdicts(input, metadata);
      if (exact) expect(found).toBe(wanted);
      else expect(found || !wanted).toBe(true);
    }
  });
});
