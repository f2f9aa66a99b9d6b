// Embeds 500 texts in a process of its own and prints the longest turn of its event loop in milliseconds.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { longestTurn } from '../../../libs/testing/dist/longest-turn.js';
import { EmbedderPool } from '../dist/adapters/inference/embedder-pool.js';

const corpus = new URL('../../../../shared/datasets/scifact/corpus.jsonl', import.meta.url);
const texts = readFileSync(corpus, 'utf8')
  .split('\n', 500)
  .map((line) => JSON.parse(line).text);
const folder = fileURLToPath(new URL('../../model/bundled/all-MiniLM-L6-v2', import.meta.url));
const model = { name: 'all-MiniLM-L6-v2', revision: 'bundled', folder, dimension: 384, maxTokens: 256 };
const pool = new EmbedderPool({ model, threads: 2 });
await pool.warm();
process.stdout.write(String(await longestTurn(() => pool.embed(texts))));
await pool.close();
