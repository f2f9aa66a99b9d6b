import { createHash } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bundled = fileURLToPath(new URL('../../model/bundled/all-MiniLM-L6-v2', import.meta.url));

/** Token ids by word, as the bundled model has them. */
export async function bundledVocabulary(): Promise<Readonly<Record<string, number>>> {
  const tokenizer = JSON.parse(await readFile(join(bundled, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> };
  };
  return tokenizer.model.vocab;
}

/** Makes a folder with weights one the registry takes: the tokenizer of the bundled model, and a manifest. */
export async function addTokenizerAndManifest(
  folder: string,
  described: { readonly name: string; readonly dimension: number; readonly maxTokens: number; readonly task: string },
): Promise<void> {
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    await copyFile(join(bundled, file), join(folder, file));
  const files = await Promise.all(
    ['onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json'].map(async (path) => {
      const content = await readFile(join(folder, path));
      return { path, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
    }),
  );
  await writeFile(
    join(folder, 'manifest.json'),
    JSON.stringify({ revision: 'r1', dtype: 'fp32', ...described, files }),
  );
}
