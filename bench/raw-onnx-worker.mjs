import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const { texts, modelFolder, nextBatch } = workerData;
const maxTokens = 256;
const batchLimits = { texts: 8, tokens: 512 };

const json = (file) => JSON.parse(readFileSync(join(modelFolder, file), 'utf8'));
const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
const session = await InferenceSession.create(join(modelFolder, 'onnx/model_quantized.onnx'), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  enableMemPattern: false,
});

function tokenize(text) {
  const { ids } = tokenizer.encode(text);
  return ids.length <= maxTokens ? ids : [...ids.slice(0, maxTokens - 1), ids.at(-1)];
}

function batchesOf(rows) {
  const batches = [];
  for (const row of rows.toSorted((a, b) => a.length - b.length)) {
    const last = batches.at(-1);
    const fits = last && last.length < batchLimits.texts && row.length * (last.length + 1) <= batchLimits.tokens;
    if (fits) last.push(row);
    else batches.push([row]);
  }
  return batches;
}

function feedsOf(batch) {
  const length = Math.max(...batch.map((row) => row.length));
  const dims = [batch.length, length];
  const ids = new BigInt64Array(batch.length * length);
  const mask = new BigInt64Array(batch.length * length);
  batch.forEach((row, at) => {
    ids.set(row.map(BigInt), at * length);
    mask.fill(1n, at * length, at * length + row.length);
  });
  return {
    input_ids: new Tensor('int64', ids, dims),
    attention_mask: new Tensor('int64', mask, dims),
    token_type_ids: new Tensor('int64', new BigInt64Array(ids.length), dims),
  };
}

const rows = texts.map(tokenize);
const batches = batchesOf(rows);
if (batches.length > 0) await session.run(feedsOf(batches.at(-1)));
parentPort.postMessage(rows.reduce((sum, row) => sum + row.length, 0));
parentPort.once('message', async () => {
  // All workers hold the same batches and take the next one nobody has taken, so that none idles at the end.
  for (let at = Atomics.add(nextBatch, 0, 1); at < batches.length; at = Atomics.add(nextBatch, 0, 1)) {
    await session.run(feedsOf(batches[at]));
  }
  parentPort.postMessage('done');
});
