import { describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { readCorpus, readQueries, type DatasetDocument } from './dataset.js';

const folder = (name: string) => join(import.meta.dirname, '../../shared/datasets', name);

describe('dataset reader', () => {
  it.each([
    ['cranfield', 1_400, 225, 1_612, ['471', '995']],
    ['scifact', 5_183, 300, 339, []],
  ])('reads %s whole, empty documents included', async (name, documents, queries, judged, empty) => {
    const corpus: DatasetDocument[] = [];
    for await (const document of readCorpus(folder(name))) corpus.push(document);
    const questions = await readQueries(folder(name));
    expect(corpus).toHaveLength(documents);
    expect(questions).toHaveLength(queries);
    expect(questions.reduce((sum, { judgements }) => sum + judgements.size, 0)).toBe(judged);
    expect(corpus.filter(({ text }) => text === '').map(({ id }) => id)).toEqual(empty);
  });
});
