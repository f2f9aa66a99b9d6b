import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FLOAT, INT64, bytes, intAttribute, intsAttribute, model, node, table, valueInfo } from './onnx.builder.js';
import { addTokenizerAndManifest, bundledVocabulary } from './tiny-model.js';

/** logit = sum of the weights of the tokens in the second segment; the rest of the vocabulary weighs nothing. */
function modelOf(weights: Float32Array): Buffer {
  return model(
    node('Gather', ['table', 'input_ids'], 'weighed'),
    node('Mul', ['token_type_ids', 'attention_mask'], 'second'),
    node('Cast', ['second'], 'share', intAttribute('to', FLOAT)),
    node('Mul', ['weighed', 'share'], 'counted'),
    node('ReduceSum', ['counted'], 'logits', intsAttribute('axes', 1), intAttribute('keepdims', 1)),
    bytes(2, 'tiny'),
    table('table', weights, weights.length),
    ...['input_ids', 'attention_mask', 'token_type_ids'].map((name) => valueInfo(11, name, INT64, 'batch', 'length')),
    valueInfo(12, 'logits', FLOAT, 'batch', 'one'),
  );
}

/** Writes a cross-encoder with known weights of words, the tokenizer of the bundled model, and a manifest. */
export async function writeTinyCrossEncoder(folder: string, words: Record<string, number>): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const vocab = await bundledVocabulary();
  const weights = new Float32Array(Object.keys(vocab).length);
  for (const [word, weight] of Object.entries(words)) weights[vocab[word]!] = weight;
  await writeFile(join(folder, 'onnx/model.onnx'), modelOf(weights));
  await addTokenizerAndManifest(folder, { name: 'tiny-judge', dimension: 1, maxTokens: 64, task: 'rerank' });
}
