import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger } from '@ragmesh/observability';
import type { Embedders, Patience } from '../adapters/embedders.js';
import { VectorCache } from '../adapters/vector-cache.js';
import type { Embedder } from '../domain/embedder.js';
import { embeddingConfig } from '../embedding.config.js';
import { EmbedTexts } from './embed-texts.js';

const logger = createLogger('embedding', 'silent');
const patience = { signal: new AbortController().signal };

/** Texts are embedded by a model that fails on one of them, and takes a turn of the event loop for each call. */
function embedding(environment: Record<string, string> = {}) {
  const config = loadConfig(embeddingConfig, environment);
  const asked: string[][] = [];
  const embed = async (texts: readonly string[]) => {
    asked.push([...texts]);
    await new Promise(setImmediate);
    const index = texts.indexOf('poison');
    if (index < 0) return texts.map((text) => Float32Array.of(text.length));
    const details = { index, model: 'spec@1' };
    throw new RagmeshError('EMBEDDING.TEXT_REFUSED', `The provider refuses text ${index}.`, details);
  };
  const embedder = { model: 'spec@1', dimension: 1, embed } as unknown as Embedder;
  const use = <T>(_: Patience, work: (embedder: Embedder) => Promise<T>) => work(embedder);
  const embedders = { use } as unknown as Embedders;
  return { asked, texts: new EmbedTexts(embedders, new VectorCache(config, logger), config, logger) };
}

/** What a caller is told whose text at this place is refused. */
const refusing = (index: number) => ({
  code: 'EMBEDDING.TEXT_REFUSED',
  message: expect.stringContaining(`text ${index}`),
  details: { index, model: 'spec@1' },
});

describe('a text that is refused', () => {
  it('is named by its place among the texts of its caller, not among those still to be embedded', async () => {
    const { texts, asked } = embedding();
    await texts.chunks(['known', 'too'], patience);
    await expect(texts.chunks(['known', 'new', 'too', 'poison', 'poison'], patience)).rejects.toMatchObject(
      refusing(3),
    );
    expect(asked.at(-1)).toEqual(['new', 'poison']);
  });

  it('is named by its place for whoever waits for it with another, and where nothing is kept', async () => {
    const { texts } = embedding();
    const batches = [
      ['a', 'poison'],
      ['b', 'a', 'poison'],
    ];
    const refusals = await Promise.all(batches.map((batch) => texts.chunks(batch, patience).catch((error) => error)));
    expect(refusals).toEqual([expect.objectContaining(refusing(1)), expect.objectContaining(refusing(2))]);
    const unkept = embedding({ EMBEDDING_CACHE_TTL: '0' });
    await expect(unkept.texts.chunks(['a', 'a', 'poison'], patience)).rejects.toMatchObject(refusing(2));
  });

  it('does not fail the batch of another document that shares a text with it', async () => {
    const { texts } = embedding();
    const poisoned = texts.chunks(['poison', 'boilerplate'], patience);
    const fine = texts.chunks(['boilerplate', 'fine'], patience);
    await expect(poisoned).rejects.toMatchObject(refusing(0));
    expect((await fine).vectors.map(([length]) => length)).toEqual([11, 4]);
  });
});
