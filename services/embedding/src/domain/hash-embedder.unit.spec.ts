import { describe, expect, it } from '@jest/globals';
import { HashEmbedder } from './hash-embedder.js';

const embedder = new HashEmbedder();
const cosine = async (left: string, right: string): Promise<number> => {
  const [a, b] = await embedder.embed([left, right]);
  return a!.reduce((sum, value, at) => sum + value * b![at]!, 0);
};

describe('hash embeddings', () => {
  it('are unit vectors of the promised length, for the empty text too', async () => {
    for (const vector of await embedder.embed(['a short text', '', '\u0000 \ud800', '中文'])) {
      expect(vector).toHaveLength(embedder.dimension);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
  });

  it('are the same for the same text', async () => {
    expect(await cosine('The river froze.', 'The river froze.')).toBeCloseTo(1, 5);
    expect(Array.from((await embedder.embed(['x']))[0]!)).toEqual(
      Array.from((await new HashEmbedder().embed(['x']))[0]!),
    );
  });

  it('bring texts that share words or stems nearer than others', async () => {
    const shared = await cosine('the frozen river', 'rivers freeze in the winter');
    expect(shared).toBeGreaterThan((await cosine('the frozen river', 'stock prices fell sharply')) + 0.05);
    expect(await cosine('东京是日本的首都', '日本的首都是哪里')).toBeGreaterThan(0.5);
  });

  it('stop when the caller has cancelled', async () => {
    const cancelled = embedder.embed(['x'], { signal: AbortSignal.abort() });
    await expect(cancelled).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
  });
});
