import { beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@bufbuild/protobuf';
import { bytesOf, vectorOf } from '../document.builder.js';
import type { SuiteContext } from '../store-suite.js';

const fruits: Record<string, JsonObject> = {
  red: { colour: 'red', year: 2020, origin: { country: 'FR' } },
  green: { colour: 'green', year: 2024, tags: ['sour', 'crisp'], published: '2024-05-01' },
  blue: { colour: null, year: '2024', tags: [], published: '2023-01-01', origin: { country: ['DE', 'PL'] } },
  plain: {},
};

const cases: [string, JsonObject, string[]][] = [
  ['equality', { colour: 'green' }, ['green']],
  ['the type of a value', { year: 2024 }, ['green']],
  ['null as missing', { colour: null }, ['blue', 'plain']],
  ['inequality', { colour: { $ne: 'red' } }, ['blue', 'green', 'plain']],
  ['one of', { year: { $in: [2020, '2024'] } }, ['blue', 'red']],
  ['none of', { year: { $nin: [2020, 2024] } }, ['blue', 'plain']],
  ['nothing at all', { year: { $in: [] } }, []],
  ['numbers in a range', { year: { $gte: 2020, $lt: 2024 } }, ['red']],
  ['texts in a range', { published: { $gt: '2023-06', $lte: '2024-05-01' } }, ['green']],
  ['not in a range of texts', { published: { $not: { $gte: '2024' } } }, ['blue', 'plain', 'red']],
  ['an element of a list', { tags: 'crisp' }, ['green']],
  ['existence', { tags: { $exists: true } }, ['blue', 'green']],
  ['absence', { colour: { $exists: false } }, ['plain']],
  ['a nested name', { 'origin.country': { $in: ['FR', 'PL'] } }, ['blue', 'red']],
  ['any of several', { $or: [{ tags: 'sour' }, { year: 2020 }] }, ['green', 'red']],
  ['none of several', { $not: { $or: [{ colour: 'red' }, { colour: 'green' }] } }, ['blue', 'plain']],
  ['a quote and a dollar', { 'odd "name$': { $exists: true } }, []],
];

/** Filters mean the same in every store, and what is wrong is refused. */
export function filterSuite(context: () => SuiteContext): void {
  describe('filters', () => {
    beforeAll(async () => {
      for (const [id, metadata] of Object.entries(fruits)) {
        const document = { id, texts: [`apple ${id}`], metadata, collection: 'fruits' };
        await context().mesh.stage(document);
        await context().mesh.show(document);
      }
    });

    it.each(cases)('tell %s on both legs', async (_name, filters, expected) => {
      const { mesh } = context();
      const request = { collection: 'fruits', filters };
      const found = [await mesh.lexical('apple', request), await mesh.dense('apple', request)];
      for (const hits of found) expect(hits.map(({ documentId }) => documentId).toSorted()).toEqual(expected);
      const vector = bytesOf(vectorOf('apple'));
      const hybrid = await mesh.as('default', () =>
        mesh.client.searchHybrid({ ...request, vector, query: 'apple', topK: 9 }),
      );
      expect(hybrid.hits.map(({ documentId }) => documentId).toSorted()).toEqual(expected);
    });

    it.each([
      ['an unknown operator', { filters: { year: { $near: 1 } } }, 'FILTER.UNKNOWN_OPERATOR'],
      ['a filter of the wrong type', { filters: { $and: 'all' } }, 'FILTER.INVALID'],
      ['no results wanted', { topK: 0 }, 'REQUEST.INVALID'],
    ])('refuse %s', async (_name, request, code) => {
      const { mesh } = context();
      await expect(mesh.lexical('apple', { collection: 'fruits', ...request })).rejects.toMatchObject({ code });
      await expect(mesh.dense('apple', { collection: 'fruits', ...request })).rejects.toMatchObject({ code });
    });

    it('go with vectors of the collection’s length only', async () => {
      const vector = bytesOf(vectorOf('apple', 4));
      const asked = context().mesh.dense('', { collection: 'fruits', vector });
      await expect(asked).rejects.toMatchObject({ code: 'VECTOR.DIMENSION_MISMATCH' });
    });

    it('find nothing in a collection that does not exist', async () => {
      const { mesh } = context();
      expect(await mesh.dense('apple', { collection: 'none' })).toEqual([]);
      expect(await mesh.lexical('apple', { collection: 'none' })).toEqual([]);
    });
  });
}
