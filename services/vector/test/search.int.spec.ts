import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { bytesOf, embeddedBatches, vectorOf, type Batch } from './document.builder.js';
import { VectorMesh } from './vector-mesh.js';

describe('searching the index', () => {
  let mesh: VectorMesh;
  const index = async (options: Parameters<VectorMesh['stage']>[0]) => {
    await mesh.stage(options);
    await mesh.show(options);
  };
  beforeAll(async () => {
    mesh = await VectorMesh.start();
    await index({ id: 'red', texts: ['apple red one', 'apple red two'], metadata: { colour: 'red', year: 2020 } });
    await index({
      id: 'green',
      texts: ['apple green'],
      metadata: { colour: 'green', year: 2024, tags: ['sour', 'crisp'] },
    });
  });
  afterAll(() => mesh.stop());

  it('applies filters to both legs', async () => {
    const idsOf = (hits: readonly { documentId: string }[]) =>
      [...new Set(hits.map(({ documentId }) => documentId))].sort();
    expect(idsOf(await mesh.lexical('apple', { filters: { colour: 'green' } }))).toEqual(['green']);
    expect(idsOf(await mesh.dense('apple', { filters: { year: { $lt: 2024 } } }))).toEqual(['red']);
    expect(
      idsOf(await mesh.dense('apple', { filters: { $or: [{ tags: { $in: ['sour'] } }, { year: 2020 }] } })),
    ).toEqual(['green', 'red']);
    expect(await mesh.lexical('apple', { filters: { missing: { $exists: true } } })).toEqual([]);
  });

  it('hands metadata back with a hit', async () => {
    const [hit] = await mesh.lexical('green');
    expect(hit!.metadata).toEqual({ colour: 'green', year: 2024, tags: ['sour', 'crisp'] });
  });

  it.each([
    ['an unknown operator', { filters: { year: { $near: 1 } } }, 'FILTER.UNKNOWN_OPERATOR'],
    ['a filter of the wrong type', { filters: { $and: 'all' } }, 'FILTER.INVALID'],
    ['no results wanted', { topK: 0 }, 'REQUEST.INVALID'],
    ['too many results wanted', { topK: 1001 }, 'REQUEST.INVALID'],
  ])('refuses %s on both legs', async (_name, request, code) => {
    await expect(mesh.lexical('apple', request)).rejects.toMatchObject({ code });
    await expect(mesh.dense('apple', request)).rejects.toMatchObject({ code });
  });

  it('refuses a query vector of another length', async () => {
    await expect(mesh.dense('', { vector: bytesOf(vectorOf('apple', 4)) })).rejects.toMatchObject({
      code: 'VECTOR.DIMENSION_MISMATCH',
    });
    await expect(mesh.dense('', { vector: new Uint8Array(7) })).rejects.toMatchObject({
      code: 'VECTOR.DIMENSION_MISMATCH',
    });
  });

  it('refuses a query vector of another model, though it is as long', async () => {
    const vector = bytesOf(vectorOf('apple'));
    const by = (model: string) => {
      const leg = { collection: 'default', vector, topK: 10, model };
      return mesh.as('default', () =>
        Promise.all([mesh.client.searchDense(leg), mesh.client.searchHybrid({ ...leg, query: 'apple' })]),
      );
    };
    const found = await by('m@1');
    expect(found.map(({ hits }) => hits.length)).toEqual([3, 3]);
    expect(found.map(({ generation }) => generation)).toEqual([0, 0]);
    expect((await by('m@2')).map(({ hits }) => hits.length)).toEqual([3, 3]); // an update of the same model
    await expect(by('smaller@1')).rejects.toMatchObject({ code: 'VECTOR.DIMENSION_MISMATCH' });
  });

  it('takes the model for what it is now where a collection was emptied and filled by another one', async () => {
    const collection = 'refilled';
    const vector = bytesOf(vectorOf('one'));
    const isFound = async (model: string) =>
      (await mesh.as('default', () => mesh.client.searchDense({ collection, vector, topK: 1, model }))).hits.length;
    await index({ id: 'first', collection, texts: ['one'] });
    expect(await isFound('m@1')).toBe(1);
    await mesh.database.query(`UPDATE point SET model = 'n@1' WHERE collection = $1`, [collection]);
    expect(await isFound('n@1')).toBe(1);
    await expect(isFound('m@1')).rejects.toMatchObject({ code: 'VECTOR.DIMENSION_MISMATCH' });
  });

  it('finds nothing in a collection that does not exist', async () => {
    expect(await mesh.dense('apple', { collection: 'none' })).toEqual([]);
    expect(await mesh.lexical('apple', { collection: 'none' })).toEqual([]);
  });

  it('keeps tenants apart that use the same ids', async () => {
    await index({ id: 'red', texts: ['apple of another tenant'], tenant: 'acme' });
    expect((await mesh.lexical('apple', {}, 'acme')).map(({ text }) => text)).toEqual(['apple of another tenant']);
    expect((await mesh.dense('apple', {}, 'acme')).map(({ documentId }) => documentId)).toEqual(['red']);
    expect((await mesh.lexical('apple')).map(({ text }) => text)).not.toContain('apple of another tenant');
    expect(await mesh.count('red', 0, 'acme')).toEqual({ points: 1, visible: 1 });
    expect(await mesh.count('', 0, 'nobody')).toEqual({ points: 0, visible: 0 });
    const ids = [...(await mesh.lexical('red')), ...(await mesh.lexical('apple', {}, 'acme'))].map(
      ({ pointId }) => pointId,
    );
    expect(new Set(ids).size).toBe(3);
  });

  it('gives the neighbours of a chunk within the visible version only', async () => {
    await index({ id: 'long', texts: ['n zero', 'n one', 'n two', 'n three'] });
    const ask = (version: bigint, ordinals: number[]) =>
      mesh.as('default', () =>
        mesh.client.getNeighbours({ collection: 'default', documentId: 'long', version, ordinals }),
      );
    expect((await ask(1n, [3, 1, 9])).hits.map(({ text }) => text)).toEqual(['n one', 'n three']);
    expect((await ask(2n, [1])).hits).toEqual([]);
  });

  it('finds the same after a restart as before, best first in the same order', async () => {
    const ask = async () => [
      await mesh.lexical('apple red'),
      await mesh.dense('apple'),
      await mesh.lexical('apple', {}, 'acme'),
    ];
    await mesh.stage({ id: 'red', version: 2, texts: ['apple staged'] });
    const before = await ask();
    await mesh.restart();
    const after = await ask();
    expect(after.map((hits) => hits.map(({ pointId }) => pointId))).toEqual(
      before.map((hits) => hits.map(({ pointId }) => pointId)),
    );
    expect(after[0]![0]).toEqual(before[0]![0]);
    await mesh.show({ id: 'red', version: 2, texts: ['apple staged'] });
    expect((await mesh.lexical('apple', { filters: {} })).map(({ text }) => text).sort()).toEqual([
      'apple green',
      'apple staged',
    ]);
  });

  it.each<[string, (batch: Batch) => Batch, string]>([
    [
      'too few bytes of vectors',
      (batch) => ({ ...batch, vectors: batch.vectors.subarray(4) }),
      'VECTOR.DIMENSION_MISMATCH',
    ],
    [
      'a vector of zeros',
      (batch) => ({ ...batch, vectors: new Uint8Array(batch.vectors.length) }),
      'EMBEDDING.INVALID_VECTOR',
    ],
    [
      'a vector with NaN',
      (batch) => ({ ...batch, vectors: new Uint8Array(batch.vectors.length).fill(255) }),
      'EMBEDDING.INVALID_VECTOR',
    ],
    ['no chunks', (batch) => ({ ...batch, chunks: [], vectors: new Uint8Array() }), 'EVENT.INVALID'],
    [
      'an ordinal twice',
      (batch) => ({ ...batch, chunks: batch.chunks.map((chunk) => ({ ...chunk, ordinal: 0 })) }),
      'EVENT.INVALID',
    ],
    [
      'vectors of another model',
      () => embeddedBatches({ id: 'bad', texts: ['x', 'y'], dimension: 4 })[0]!,
      'VECTOR.DIMENSION_MISMATCH',
    ],
  ])('gives up a batch with %s', async (_name, damage, code) => {
    const event = mesh.event(catalogue.chunksEmbedded, damage(embeddedBatches({ id: 'bad', texts: ['x', 'y'] })[0]!));
    await mesh.send(event);
    expect(await mesh.answerTo(event)).toMatchObject({
      type: 'error.occurred',
      payload: { code, handler: 'vector.index-chunks', attempts: 1 },
    });
    expect(await mesh.count('bad')).toEqual({ points: 0, visible: 0 });
  });

  it('takes vectors of one model only, whatever its revision, as long as the collection has points', async () => {
    const collection = 'of-a-model';
    const put = async (id: string, model: string) => {
      const document = { id, collection, texts: [`${id} petrel`] };
      const event = mesh.event(catalogue.chunksEmbedded, { ...embeddedBatches(document)[0]!, model });
      await mesh.send(event);
      const answer = await mesh.answerTo(event);
      if (answer.type === 'vector.indexed') await mesh.show(document);
      return answer;
    };
    const found = async () => (await mesh.lexical('petrel', { collection })).map(({ documentId }) => documentId);
    const remove = async (documentId: string) => {
      const event = mesh.event(catalogue.removeDocument, { documentId, collection, version: 1n });
      await mesh.send(event);
      await mesh.answerTo(event);
    };
    await put('a', 'm@1');
    expect(await put('b', 'n@1')).toMatchObject({
      type: 'error.occurred',
      payload: { code: 'VECTOR.DIMENSION_MISMATCH', message: expect.stringContaining('reindex'), attempts: 1 },
    });
    expect(await found()).toEqual(['a']);
    expect(await mesh.dense('a petrel', { collection, topK: 5 })).toMatchObject([{ documentId: 'a' }]);
    expect(await put('c', 'm@2')).toMatchObject({ type: 'vector.indexed' });
    expect((await found()).toSorted()).toEqual(['a', 'c']);
    for (const id of ['a', 'c']) await remove(id);
    expect(await put('d', 'n@1')).toMatchObject({ type: 'vector.indexed' });
    expect(await put('e', 'm@1')).toMatchObject({ type: 'error.occurred' });
    expect(await found()).toEqual(['d']);
  });

  it('takes text with a NUL character, offsets unchanged', async () => {
    await index({ id: 'nul', texts: ['nu\0ll quokka'], metadata: { 'k\0': ['v\0'], plain: 'quokka' } });
    const [hit] = await mesh.lexical('quokka');
    expect(hit).toMatchObject({ text: 'nu\ufffdll quokka', metadata: { 'k\ufffd': ['v\ufffd'], plain: 'quokka' } });
  });
});
