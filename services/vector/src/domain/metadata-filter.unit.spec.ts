import { describe, expect, it } from '@jest/globals';
import { evaluateFilter, type Metadata } from './metadata-filter.js';
import { parseMetadataFilter } from './metadata-filter-parser.js';

const metadata: Metadata = { year: 2020, tag: ['a', 'b'], lang: 'de', none: null, deep: { er: { x: 1 } } };
const nested = (levels: number): unknown => (levels === 0 ? { year: 2020 } : { $not: nested(levels - 1) });

describe('metadata filters', () => {
  it.each<[unknown, boolean]>([
    [{}, true],
    [{ year: 2020 }, true],
    [{ year: '2020' }, false],
    [{ year: { $gt: 2019, $lte: 2020 } }, true],
    [{ year: { $gt: '2019' } }, false],
    [{ lang: { $gte: 'de', $lt: 'df' } }, true],
    [{ tag: 'b' }, true],
    [{ tag: { $ne: 'b' } }, false],
    [{ tag: { $nin: ['c', 'd'] } }, true],
    [{ tag: { $in: [] } }, false],
    [{ missing: { $ne: 1 } }, true],
    [{ missing: { $nin: [1] } }, true],
    [{ missing: { $lt: 1 } }, false],
    [{ missing: { $not: { $lt: 1 } } }, true],
    [{ missing: null }, true],
    [{ none: { $exists: true } }, true],
    [{ missing: { $exists: false } }, true],
    [{ 'deep.er.x': 1 }, true],
    [{ 'deep.er.y': { $exists: true } }, false],
    [{ $or: [{ year: 1 }, { lang: 'de' }], $not: { lang: 'en' } }, true],
    [{ $and: [{ year: 2020 }, { lang: 'en' }] }, false],
    [JSON.parse('{"__proto__.polluted": {"$exists": true}}'), false],
    [JSON.parse('{"__proto__": {"$exists": true}}'), false],
    [{ 'constructor.name': 'Object' }, false],
    [{ toString: { $exists: true } }, false],
    [nested(8), true],
  ])('%j → %s', (filter, expected) => {
    expect(evaluateFilter(parseMetadataFilter(filter), metadata)).toBe(expected);
  });

  it.each<[unknown, string, string]>([
    [{ year: { $regex: 'x' } }, 'FILTER.UNKNOWN_OPERATOR', 'filters.year.$regex'],
    [{ $where: '1' }, 'FILTER.UNKNOWN_OPERATOR', 'filters.$where'],
    [{ $and: [{ a: { $near: 1 } }] }, 'FILTER.UNKNOWN_OPERATOR', 'filters.$and[0].a.$near'],
    [{ $gt: 3 }, 'FILTER.INVALID', 'filters.$gt'],
    [{ $or: [] }, 'FILTER.INVALID', 'filters.$or'],
    [{ $or: { a: 1 } }, 'FILTER.INVALID', 'filters.$or'],
    [{ a: [1] }, 'FILTER.INVALID', 'filters.a'],
    [{ a: {} }, 'FILTER.INVALID', 'filters.a'],
    [{ a: { b: 1 } }, 'FILTER.INVALID', 'filters.a.b'],
    [{ a: { $in: 1 } }, 'FILTER.INVALID', 'filters.a.$in'],
    [{ a: { $in: [1, {}] } }, 'FILTER.INVALID', 'filters.a.$in[1]'],
    [{ a: { $gt: true } }, 'FILTER.INVALID', 'filters.a.$gt'],
    [{ a: { $exists: 1 } }, 'FILTER.INVALID', 'filters.a.$exists'],
    [{ a: NaN }, 'FILTER.INVALID', 'filters.a'],
    [{ 'a..b': 1 }, 'FILTER.INVALID', 'filters.a..b'],
    [null, 'FILTER.INVALID', 'filters'],
    ['x', 'FILTER.INVALID', 'filters'],
    [[], 'FILTER.INVALID', 'filters'],
    [nested(5000), 'FILTER.INVALID', `filters${'.$not'.repeat(9)}`],
    [Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`f${i}`, 1])), 'FILTER.INVALID', 'filters.f100'],
  ])('refuses %#', (filter, code, path) => {
    const parse = (): unknown => parseMetadataFilter(filter);
    expect(parse).toThrow(expect.objectContaining({ code, details: expect.objectContaining({ path }) }));
  });
});
