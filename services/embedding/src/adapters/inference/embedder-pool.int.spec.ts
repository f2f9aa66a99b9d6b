import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { EmbedderPool, type EmbedderPoolOptions } from './embedder-pool.js';

const folder = fileURLToPath(new URL('../../../../model/bundled/all-MiniLM-L6-v2', import.meta.url));
const repository = fileURLToPath(new URL('../../../../../', import.meta.url));
const corpus = new URL('../../../../../../shared/datasets/scifact/corpus.jsonl', import.meta.url);
const abstracts = readFileSync(corpus, 'utf8')
  .split('\n', 2000)
  .map((line) => String((JSON.parse(line) as { text: string }).text));

function poolOf(
  model: Partial<EmbedderPoolOptions['model']> = {},
  threads = 2,
  options: Partial<EmbedderPoolOptions> = {},
): EmbedderPool {
  const bundled = { name: 'all-MiniLM-L6-v2', revision: 'spec', folder, dimension: 384, maxTokens: 256 };
  return new EmbedderPool({ model: { ...bundled, ...model }, threads, ...options });
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0);
}

describe('embedding with the bundled model', () => {
  const pool = poolOf();
  const embedOne = async (text: string): Promise<Float32Array> => (await pool.embed([text]))[0]!;

  beforeAll(() => pool.warm());
  afterAll(() => pool.close());

  it('gives unit vectors in the order of the texts, whatever they are batched with', async () => {
    const texts = abstracts.slice(0, 24).map((text, at) => text.slice(0, 20 + at * 60));
    const batched = await pool.embed(texts);
    for (const [at, text] of texts.entries()) {
      expect(Math.hypot(...batched[at]!)).toBeCloseTo(1, 4);
      expect(cosine(batched[at]!, await embedOne(text))).toBeGreaterThan(0.98);
    }
  });

  it('puts paraphrases nearer than unrelated sentences', async () => {
    const [eating, bread, cello, heart, cardiac] = await pool.embed([
      'A man is eating food.',
      'A man is eating a piece of bread.',
      'A woman is playing the cello.',
      'Heart attacks are caused by blocked arteries.',
      'Occlusion of coronary vessels leads to myocardial infarction.',
    ]);
    expect(cosine(eating!, bread!)).toBeCloseTo(0.76, 1);
    expect(cosine(eating!, bread!)).toBeGreaterThan(cosine(eating!, cello!) + 0.3);
    expect(cosine(heart!, cardiac!)).toBeGreaterThan(cosine(heart!, cello!) + 0.3);
  });

  it('reads the first 256 tokens and no more', async () => {
    const words = (count: number): string =>
      Array.from({ length: count }, (_, at) => (at % 3 ? 'river' : 'stone')).join(' ');
    const cut = await embedOne(words(254));
    expect(cosine(await embedOne(`${words(254)} ${'music '.repeat(46)}`), cut)).toBeGreaterThan(0.999);
    expect(cosine(await embedOne(`${words(200)} ${'music '.repeat(54)}`), cut)).toBeLessThan(0.99);
  });

  it('embeds empty, blank, huge and ill-formed texts', async () => {
    const vectors = await pool.embed(['', '   ', 'x'.repeat(1_000_000), '\ud800\u0000', 'word '.repeat(200_000)]);
    expect(vectors.map((vector) => vector.length)).toEqual([384, 384, 384, 384, 384]);
    expect(await pool.embed([])).toEqual([]);
  });

  it('lets queries overtake hundreds of texts', async () => {
    let bulkDone = false;
    const bulk = pool.embed(abstracts.slice(0, 500)).then((vectors) => ((bulkDone = true), vectors));
    for (let at = 0; at < 10; at++) await pool.embed([`Does vitamin ${at} prevent scurvy?`], { priority: 'query' });
    expect(bulkDone).toBe(false);
    expect(await bulk).toHaveLength(500);
  });

  it('takes the event loop for 20 ms at most while 500 texts are embedded', async () => {
    const script = `${repository}services/embedding/test/embed-in-turns.mjs`;
    const run = () => Number(execFileSync(process.execPath, [script], { encoding: 'utf8' }));
    const longest = await withinAttempts(3, run, (turn) => turn < 20);
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(20);
  });

  it('stops waiting work that its caller cancels', async () => {
    const controller = new AbortController();
    const cancelled = pool.embed(abstracts, { signal: controller.signal });
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    expect(pool.waiting).toBe(0);
    expect(await pool.embed(['still here'])).toHaveLength(1);
  });
});

/** Lets `change` see each task before its thread does; what it returns goes there instead. */
function betweenThreads(change: (texts: readonly string[]) => 'pass' | 'crash'): () => void {
  const intercept = (message: unknown): void => {
    const { worker } = message as { worker: Worker };
    const send = worker.postMessage.bind(worker) as (value: unknown) => void;
    worker.postMessage = (task: { texts?: readonly string[] }) =>
      // A message it does not understand ends a thread by an uncaught exception.
      send(task.texts && change(task.texts) === 'crash' ? null : task);
  };
  subscribe('worker_threads', intercept);
  return () => void unsubscribe('worker_threads', intercept);
}

describe('concurrent queries', () => {
  it('leave together, also those that come while every thread is at work', async () => {
    const sizes: number[] = [];
    const stop = betweenThreads((texts) => (sizes.push(texts.length), 'pass'));
    const pool = poolOf({}, 1);
    await pool.warm();
    sizes.length = 0;
    const ask = async (at: number): Promise<void> => {
      for (let round = 0; round < 4; round++) await pool.embed([`Question ${at}, ${round}`], { priority: 'query' });
    };
    await Promise.all(Array.from({ length: 32 }, (_, at) => ask(at)));
    stop();
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(128);
    expect(sizes.length).toBeLessThan(32);
    await pool.close();
  });
});

describe('an embedder in trouble', () => {
  it('repeats what was lost when a thread dies, on a fresh one', async () => {
    const workers: Worker[] = [];
    const remember = (message: unknown): unknown => workers.push((message as { worker: Worker }).worker);
    subscribe('worker_threads', remember);
    const pool = poolOf({}, 2);
    await pool.warm();
    const embedded = pool.embed(abstracts.slice(0, 60));
    // A message it does not understand ends a thread by an uncaught exception.
    workers[0]!.postMessage(null);
    const vectors = await embedded;
    unsubscribe('worker_threads', remember);
    expect(workers.length).toBeGreaterThan(1);
    expect(vectors.map((vector) => vector.length)).toEqual(Array<number>(60).fill(384));
    expect(cosine(vectors[59]!, (await pool.embed([abstracts[59]!]))[0]!)).toBeGreaterThan(0.98);
    await pool.close();
  });

  it('finds the one text that ends its thread every time, and serves its neighbours', async () => {
    const stop = betweenThreads((texts) => (texts.includes('poison') ? 'crash' : 'pass'));
    const pool = poolOf({}, 1);
    await pool.warm();
    const neighbours = pool.embed(abstracts.slice(0, 12).map((text) => text.slice(0, 50)));
    const poison = pool.embed(['harmless', 'poison']);
    const others = ['one', 'two'].map((text) => pool.embed([text], { priority: 'query' }));
    await expect(poison).rejects.toMatchObject({ code: 'EMBEDDING.TEXT_REFUSED', details: { index: 1 } });
    expect(await neighbours).toHaveLength(12);
    expect(await Promise.all(others)).toHaveLength(2);
    stop();
    expect(await pool.embed(['poison'])).toHaveLength(1);
    await pool.close();
  });

  it('says that it is unavailable while threads die before they are ready, and serves the next', async () => {
    const kill = (message: unknown): void => (message as { worker: Worker }).worker.postMessage(null);
    const pool = poolOf({}, 1);
    subscribe('worker_threads', kill);
    await expect(pool.embed(['text'])).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
    unsubscribe('worker_threads', kill);
    expect(await pool.embed(['text'])).toHaveLength(1);
    await pool.close();
  });

  it('rejects what waits when it is closed, and everything afterwards', async () => {
    const pool = poolOf();
    const waiting = pool.embed(abstracts.slice(0, 100));
    await Promise.all([expect(waiting).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' }), pool.close()]);
    await expect(pool.embed(['late'])).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
  });

  it('refuses vectors of another length than promised', async () => {
    const pool = poolOf({ dimension: 385 }, 1);
    await expect(pool.embed(['text'])).rejects.toMatchObject({ code: 'EMBEDDING.INVALID_VECTOR' });
    await pool.close();
  });

  it('goes on with the threads there are when a further one cannot load the model, says so and tries it again', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'ragmesh-model-'));
    await cp(folder, copy, { recursive: true });
    const told: unknown[] = [];
    const pool = poolOf({ folder: copy }, 2, {
      retryMilliseconds: 100,
      onFewerThreads: (error) => void told.push(error),
    });
    let begun = 0;
    const count = (): void => void (begun += 1);
    try {
      await pool.warm();
      subscribe('worker_threads', count);
      await rm(copy, { recursive: true });
      expect(await pool.embed(abstracts.slice(0, 60))).toHaveLength(60);
      expect(await pool.embed(abstracts.slice(60, 120))).toHaveLength(60);
      await eventually('the thread that cannot load the model is told of', () => told.length > 0);
      expect(told[0]).toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
      expect(String((told[0] as Error).cause)).toContain(copy);
      await cp(folder, copy, { recursive: true });
      await eventually('a thread begins that does not fail', async () => {
        await pool.embed(abstracts.slice(0, 30));
        return begun > told.length;
      });
    } finally {
      unsubscribe('worker_threads', count);
      await pool.close();
      await rm(copy, { recursive: true, force: true });
    }
  });

  it('says that the model cannot be loaded, and loads it once it can', async () => {
    const broken = await mkdtemp(join(tmpdir(), 'ragmesh-broken-model-'));
    const pool = poolOf({ folder: broken }, 1);
    await expect(pool.warm()).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
    await cp(folder, broken, { recursive: true });
    await writeFile(join(broken, 'onnx/model_quantized.onnx'), 'not a graph');
    await expect(pool.warm()).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
    await cp(folder, broken, { recursive: true });
    await pool.warm();
    await pool.close();
    await rm(broken, { recursive: true });
  });
});
