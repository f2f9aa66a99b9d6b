import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { VectorMesh } from './vector-mesh.js';

const POINTS = 5_000;
const CHUNKS_PER_DOCUMENT = 50;

async function abstracts(): Promise<string[]> {
  const file = new URL('../../../../shared/datasets/scifact/corpus.jsonl', import.meta.url);
  const lines = (await readFile(file, 'utf8')).trim().split('\n').slice(0, POINTS);
  return lines.map((line) => (JSON.parse(line) as { text: string }).text);
}

describe('5,000 chunks with vectors of 384 numbers', () => {
  let mesh: VectorMesh;
  let texts: string[];

  beforeAll(async () => {
    mesh = await VectorMesh.start();
    texts = await abstracts();
    for (let n = 0; n < POINTS / CHUNKS_PER_DOCUMENT; n++) {
      const own = texts.slice(n * CHUNKS_PER_DOCUMENT, (n + 1) * CHUNKS_PER_DOCUMENT);
      const document = {
        id: `0199a8f0-0000-7000-8000-${String(n).padStart(12, '0')}`,
        texts: own,
        metadata: { source: 'corpus', part: n },
        dimension: 384,
      };
      await mesh.stage(document);
      await mesh.show(document);
    }
  });
  afterAll(() => mesh.stop());

  it('take at most 2 KB of disk each beyond their text', async () => {
    const { rows } = await mesh.database.query<{ bytes: number }>(
      `SELECT pg_total_relation_size('point') + pg_total_relation_size('document_index') AS bytes`,
    );
    const textBytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    expect((rows[0]!.bytes - textBytes) / POINTS).toBeLessThanOrEqual(2_048);
  });

  it('are all found again by a start', async () => {
    await mesh.restart();
    const hits = await eventually('an answer', () => mesh.lexical('protein', { topK: 1_000 }));
    expect(hits.length).toBeGreaterThan(100);
    expect(await mesh.count('')).toEqual({ points: POINTS, visible: POINTS });
  });
});
