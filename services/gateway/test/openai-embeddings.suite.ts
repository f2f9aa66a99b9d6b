import { describe, expect, it } from '@jest/globals';
import { fact, read, type OpenAiMesh } from './openai-mesh.js';

/** Embeddings and models as OpenAI's client sees them. */
export function describeEmbeddings(mesh: () => OpenAiMesh): void {
  describe('embeddings through the official client', () => {
    const input = [fact, 'The buoy of Alvöra is red.', 'Something else.'];

    it('gives the vectors the client decodes from base64, and the same as numbers', async () => {
      const { data: models } = await mesh().client.models.list();
      const model = models.at(-1)!.id;
      const decoded = await mesh().client.embeddings.create({ model, input });
      const numbers = await mesh().client.embeddings.create({ model, input, encoding_format: 'float' });
      expect(decoded).toMatchObject({
        object: 'list',
        model,
        usage: { prompt_tokens: expect.any(Number), total_tokens: expect.any(Number) },
      });
      expect(decoded.data.map(({ index, object }) => [index, object])).toEqual(input.map((_, i) => [i, 'embedding']));
      expect(decoded.data.map(({ embedding }) => embedding)).toEqual(numbers.data.map(({ embedding }) => embedding));
      expect(Math.hypot(...numbers.data[0]!.embedding)).toBeCloseTo(1);
      const short = await mesh().client.embeddings.create({ model, input: fact, dimensions: 16 });
      expect(short.data).toHaveLength(1);
      expect(short.data[0]!.embedding).toHaveLength(16);
      expect(Math.hypot(...short.data[0]!.embedding)).toBeCloseTo(1);
    });

    it('takes more texts than one call behind it', async () => {
      const model = (await mesh().client.models.list()).data.at(-1)!.id;
      const texts = Array.from({ length: 300 }, (_, index) => `Text number ${index}`);
      const { data } = await mesh().client.embeddings.create({ model, input: texts });
      const single = await mesh().client.embeddings.create({ model, input: texts[299]! });
      expect(data).toHaveLength(300);
      expect(data[299]!.embedding).toEqual(single.data[0]!.embedding);
    });

    it('refuses another model, token ids and more dimensions than there are', async () => {
      const model = (await mesh().client.models.list()).data.at(-1)!.id;
      await expect(mesh().client.embeddings.create({ model: 'text-embedding-3-small', input })).rejects.toMatchObject({
        status: 404,
        code: 'model_not_found',
      });
      await expect(mesh().client.embeddings.create({ model, input: [1, 2, 3] })).rejects.toMatchObject({
        status: 400,
        param: 'input',
        message: expect.stringContaining('token ids'),
      });
      await expect(mesh().client.embeddings.create({ model, input, dimensions: 100_000 })).rejects.toMatchObject({
        status: 400,
        param: 'dimensions',
      });
      await expect(mesh().client.embeddings.create({ model, input: [] })).rejects.toMatchObject({
        status: 400,
        param: 'input',
      });
    });
  });

  describe('models through the official client', () => {
    it('are the default collection, every other one, the language model and the embedding model', async () => {
      const { data } = await mesh().client.models.list();
      expect(data.slice(0, 2)).toEqual([
        { id: 'ragmesh', object: 'model', created: expect.any(Number), owned_by: 'ragmesh' },
        { id: 'ragmesh/harbour', object: 'model', created: expect.any(Number), owned_by: 'ragmesh' },
      ]);
      expect(data).toHaveLength(4);
      expect(data[2]).toMatchObject({ id: 'stub' });
      for (const { id } of data) expect(await mesh().client.models.retrieve(id)).toMatchObject({ id, object: 'model' });
      await expect(mesh().client.models.retrieve('gpt-4')).rejects.toMatchObject({
        status: 404,
        code: 'model_not_found',
      });
    });

    it.each(['/', '%2F'])('are found by a name with a slash written %s, as clients differ in that', async (slash) => {
      const ask = (collection: string): Promise<Response> =>
        fetch(`${mesh().url}/v1/models/ragmesh${slash}${collection}`);
      expect(await read(ask('harbour'))).toMatchObject({ id: 'ragmesh/harbour', object: 'model' });
      expect(await read(ask('a%00b'))).toMatchObject({ error: { code: 'REQUEST.INVALID' } });
      const missing = await ask('none');
      expect([missing.status, await missing.json()]).toEqual([
        404,
        { error: expect.objectContaining({ type: 'invalid_request_error', code: 'model_not_found' }) },
      ]);
    });
  });
}
