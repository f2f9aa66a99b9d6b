import { describe, expect, it } from '@jest/globals';
import { evaluateFilter, type Metadata } from '../../domain/metadata-filter.js';
import { parseMetadataFilter } from '../../domain/metadata-filter-parser.js';
import { metadataTerms } from '../../domain/metadata-terms.js';
import { passes, type QdrantFilter } from '../../../test/qdrant-stand-in/payload-filter.js';
import { compileFilter } from './qdrant-filter.js';

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

describe('a filter in Qdrant’s terms', () => {
  it.each(filters)('lets pass what %s lets pass', (_name, input, exact) => {
    const filter = parseMetadataFilter(input);
    const compiled = compileFilter(filter);
    expect(compiled.exact).toBe(exact);
    for (const metadata of documents) {
      const payload = { metadata, terms: metadataTerms(metadata) };
      const point = { id: 1, vectors: {}, payload, version: 1, sequence: 1 };
      const condition = compiled.condition as QdrantFilter | undefined;
      const found = passes(condition && { must: [condition] }, point);
      const wanted = evaluateFilter(filter, metadata);
      if (exact) expect(found).toBe(wanted);
      else expect(found || !wanted).toBe(true);
    }
  });
});
