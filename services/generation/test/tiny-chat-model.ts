import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FLOAT,
  INT64,
  bytes,
  intAttribute,
  intsAttribute,
  model,
  node,
  table,
  valueInfo,
} from '../../embedding/test/onnx.builder.js';

const END = '</s>';
const words = ['<unk>', END, 'user:', 'assistant:', 'the', 'otter', 'sleeps', 'on', 'its', 'back', 'heron', 'fishes'];
/** What follows each word, always: a chain that ends, and one that goes round for ever. */
const chain: Readonly<Record<string, string>> = {
  'assistant:': 'the',
  the: 'otter',
  otter: 'sleeps',
  sleeps: 'on',
  on: 'its',
  its: 'back',
  back: END,
};

const idOf = (word: string): number => words.indexOf(word);

/** Logits of the next word from the last one; past keys and values are kept as real decoders keep them, and weigh nothing. */
function decoder(next: Readonly<Record<string, string>>): Buffer {
  const size = words.length;
  const logits = new Float32Array(size * size).fill(-10);
  for (const word of words) logits[idOf(word) * size + idOf(next[word] ?? END)] = 10;
  const past = (kind: string): string => `past_key_values.0.${kind}`;
  const kept = ['key', 'value'].flatMap((kind) => [
    node('Concat', [past(kind), 'column'], `present.0.${kind}`, intAttribute('axis', 2)),
  ]);
  return model(
    node('Gather', ['table', 'input_ids'], 'logits'),
    node('Gather', ['ones', 'input_ids'], 'rows'),
    node('Unsqueeze', ['rows'], 'column', intsAttribute('axes', 1)),
    ...kept,
    bytes(2, 'tiny'),
    table('table', logits, size, size),
    table('ones', new Float32Array(size).fill(1), size, 1),
    ...['input_ids', 'attention_mask'].map((name) => valueInfo(11, name, INT64, 'batch', 'length')),
    ...['key', 'value'].map((kind) => valueInfo(11, past(kind), FLOAT, 'batch', 'heads', 'past', 'width')),
    valueInfo(12, 'logits', FLOAT, 'batch', 'length', 'vocabulary'),
    ...['key', 'value'].map((kind) => valueInfo(12, `present.0.${kind}`, FLOAT, 'batch', 'heads', 'all', 'width')),
  );
}

const special = (word: string) => ({
  ...{ id: idOf(word), content: word, single_word: false, lstrip: false, rstrip: false, normalized: false },
  special: true,
});

const tokenizer = {
  version: '1.0',
  added_tokens: [special('<unk>'), special(END)],
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((word, at) => [word, at])), unk_token: '<unk>' },
};
const chatTemplate =
  "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + ' ' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}";

/**
 * Writes a text-generation model as exports for `@huggingface/transformers` have it: it says "the otter sleeps on its back"
 * and ends, or, as `endless`, goes round for ever.
 */
export async function writeTinyChatModel(folder: string, { endless = false } = {}): Promise<void> {
  const config = {
    model_type: 'gpt2',
    architectures: ['GPT2LMHeadModel'],
    ...{ n_layer: 1, n_head: 1, n_embd: 1, vocab_size: words.length, n_positions: 100_000 },
    ...{ eos_token_id: idOf(END), bos_token_id: idOf(END), pad_token_id: idOf(END) },
  };
  const described = {
    ...{ tokenizer_class: 'PreTrainedTokenizer', model_max_length: 100_000, clean_up_tokenization_spaces: false },
    ...{ eos_token: END, bos_token: END, unk_token: '<unk>', pad_token: END, chat_template: chatTemplate },
  };
  const files: Record<string, object> = {
    'config.json': config,
    'generation_config.json': { eos_token_id: idOf(END), pad_token_id: idOf(END) },
    'tokenizer.json': tokenizer,
    'tokenizer_config.json': described,
  };
  await mkdir(join(folder, 'onnx'), { recursive: true });
  const next = endless ? { ...chain, back: 'the' } : chain;
  await writeFile(join(folder, 'onnx/model_quantized.onnx'), decoder(next));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(content));
}
