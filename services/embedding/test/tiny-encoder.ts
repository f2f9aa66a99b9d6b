import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FLOAT, INT64, bytes, model, node, table, valueInfo } from './onnx.builder.js';
import { addTokenizerAndManifest, bundledVocabulary } from './tiny-model.js';

/** Writes a sentence encoder that tells words apart and knows nothing of what they mean: a random vector per word. */
export async function writeTinyEncoder(folder: string, name: string, dimension: number): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const words = Object.keys(await bundledVocabulary()).length;
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5;
  const vectors = Float32Array.from({ length: words * dimension }, random);
  const content = model(
    node('Gather', ['vectors', 'input_ids'], 'last_hidden_state'),
    bytes(2, 'tiny'),
    table('vectors', vectors, words, dimension),
    ...['input_ids', 'attention_mask'].map((input) => valueInfo(11, input, INT64, 'batch', 'length')),
    valueInfo(12, 'last_hidden_state', FLOAT, 'batch', 'length', 'width'),
  );
  await writeFile(join(folder, 'onnx/model.onnx'), content);
  await addTokenizerAndManifest(folder, { name, dimension, maxTokens: 64, task: 'embedding' });
}
