import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bundled = fileURLToPath(new URL('../../model/bundled/all-MiniLM-L6-v2', import.meta.url));

/** Protocol buffers by hand: field number and wire type, then the value. */
const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
};
const int = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, ...parts: (Buffer | string)[]): Buffer => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
};

/** Field numbers are those of onnx.proto. */
const node = (op: string, inputs: string[], output: string, ...attributes: Buffer[]): Buffer =>
  bytes(1, ...inputs.map((name) => bytes(1, name)), bytes(2, output), bytes(4, op), ...attributes);
const intAttribute = (name: string, value: number): Buffer => bytes(5, bytes(1, name), int(3, value), int(20, 2));
const intsAttribute = (name: string, value: number): Buffer => bytes(5, bytes(1, name), int(8, value), int(20, 7));
const valueInfo = (field: number, name: string, type: number, ...dims: string[]): Buffer => {
  const shape = bytes(2, ...dims.map((dim) => bytes(1, bytes(2, dim))));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, int(1, type), shape)));
};

const FLOAT = 1;
const INT64 = 7;

/** logit = sum of the weights of the tokens in the second segment; the rest of the vocabulary weighs nothing. */
function modelOf(weights: Float32Array): Buffer {
  const table = bytes(
    5,
    int(1, weights.length),
    int(2, FLOAT),
    bytes(8, 'table'),
    bytes(9, Buffer.from(weights.buffer)),
  );
  const graph = [
    node('Gather', ['table', 'input_ids'], 'weighed'),
    node('Mul', ['token_type_ids', 'attention_mask'], 'second'),
    node('Cast', ['second'], 'share', intAttribute('to', FLOAT)),
    node('Mul', ['weighed', 'share'], 'counted'),
    node('ReduceSum', ['counted'], 'logits', intsAttribute('axes', 1), intAttribute('keepdims', 1)),
    bytes(2, 'tiny'),
    table,
    ...['input_ids', 'attention_mask', 'token_type_ids'].map((name) => valueInfo(11, name, INT64, 'batch', 'length')),
    valueInfo(12, 'logits', FLOAT, 'batch', 'one'),
  ];
  return Buffer.concat([int(1, 6), bytes(8, int(2, 11)), bytes(7, ...graph)]);
}

/** Writes a cross-encoder with known weights of words, the tokenizer of the bundled model, and a manifest. */
export async function writeTinyCrossEncoder(folder: string, words: Record<string, number>): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const tokenizer = JSON.parse(await readFile(join(bundled, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> };
  };
  const { vocab } = tokenizer.model;
  const weights = new Float32Array(Object.keys(vocab).length);
  for (const [word, weight] of Object.entries(words)) weights[vocab[word]!] = weight;
  await writeFile(join(folder, 'onnx/model.onnx'), modelOf(weights));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    await copyFile(join(bundled, file), join(folder, file));
  const files = await Promise.all(
    ['onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json'].map(async (path) => {
      const content = await readFile(join(folder, path));
      return { path, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
    }),
  );
  const described = { dimension: 1, maxTokens: 64, dtype: 'fp32', task: 'rerank', files };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify({ name: 'tiny-judge', revision: 'r1', ...described }));
}
