import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const { texts, modelFolder } = workerData;
const maxTokens = 256;
const batchLimits = { texts: 8, tokens: 512 };

const json = (file) => JSON.parse(readFileSync(join(modelFolder, file), 'utf8'));
const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'));
const session = await InferenceSession.create(join(modelFolder, 'onnx/model_quantized.onnx'), {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
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
  const tensor = (valueAt) =>
    new Tensor('int64', BigInt64Array.from({ length: batch.length * length }, (_, at) => valueAt(batch[Math.trunc(at / length)], at % length)), dims);
  return {
    input_ids: tensor((row, at) => BigInt(row[at] ?? 0)),
    attention_mask: tensor((row, at) => (at < row.length ? 1n : 0n)),
    token_type_ids: tensor(() => 0n),
  };
}

const rows = texts.map(tokenize);
const feeds = batchesOf(rows).map(feedsOf);
if (feeds.length > 0) await session.run(feeds.at(-1));
parentPort.postMessage(rows.reduce((sum, row) => sum + row.length, 0));
parentPort.once('message', async () => {
  for (const batch of feeds) await session.run(batch);
  parentPort.postMessage('done');
});
