import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Not compiled: it is plain JavaScript, so that nothing of ours is in the way of what it measures. */
const WORKER = resolve('bench/raw-onnx-worker.mjs');

export interface RawOnnxRate {
  /** Tokens of the texts after truncation, special tokens included, padding not counted. */
  readonly tokens: number;
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

/**
 * The physical limit of embedding on this machine: ONNX Runtime alone, one single-threaded session per core, every text
 * tokenised and sorted beforehand, batches of 4 to 8 texts within 512 tokens, no pooling, nothing returned. Loading and
 * tokenising are outside the time; the clock starts when all sessions have run once.
 *
 * @param modelFolder folder with `tokenizer.json`, `tokenizer_config.json` and `onnx/model_quantized.onnx`
 */
export async function measureRawOnnx(texts: string[], modelFolder: string): Promise<RawOnnxRate> {
  const nextBatch = new Int32Array(new SharedArrayBuffer(4));
  const workers = Array.from({ length: availableParallelism() }, () => {
    const workerData = { texts, modelFolder, nextBatch };
    return new Worker(WORKER, { workerData });
  });
  try {
    const ready = await Promise.all(workers.map((worker) => once(worker, 'message') as Promise<[number]>));
    const tokens = ready[0]![0];
    const start = performance.now();
    const done = Promise.all(workers.map((worker) => once(worker, 'message')));
    for (const worker of workers) worker.postMessage('start');
    await done;
    const seconds = (performance.now() - start) / 1000;
    return { tokens, seconds, tokensPerSecond: tokens / seconds };
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
