import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { forEachConcurrently } from '../eval/concurrency.js';
import type { EmbedderPool } from '../services/embedding/src/adapters/inference/embedder-pool.js';
import type { BenchInput } from './bench-input.js';
import { questionsOf, withCorpus } from './corpus.js';
import { timed } from './load/timed-request.js';
import { measureRawOnnx } from './raw-onnx.js';
import type { Report } from './report.js';

const TEXTS = 2_000;
const WARM_UP = 256;
const CALLERS = 64;
const ROUNDS = 3;

/** Rates in texts per second. */
interface Rates {
  raw: number;
  pool: number;
}

/** One text a call, as questions come, by so many callers at once. */
async function rateOf(texts: readonly string[], embed: (text: string) => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await forEachConcurrently(texts, CALLERS, async (text) => void (await embed(text)));
  return (texts.length / (performance.now() - begin)) * 1000;
}

/** The embedder of the embedding service, alone in this process, against raw batches of the same texts, in turns. */
async function poolAgainstRaw(texts: string[], { root, model: folder }: BenchInput): Promise<Rates> {
  const file = join(root, 'services/embedding/dist/adapters/inference/embedder-pool.js');
  const { EmbedderPool: Pool } = (await import(pathToFileURL(file).href)) as { EmbedderPool: typeof EmbedderPool };
  const model = { name: 'all-MiniLM-L6-v2', revision: 'bundled', folder, dimension: 384, maxTokens: 256 };
  const rates: Rates = { raw: 0, pool: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const { seconds } = await measureRawOnnx(texts, folder);
    rates.raw += texts.length / seconds / ROUNDS;
    const pool = new Pool({ model });
    try {
      await pool.embed(texts.slice(0, WARM_UP));
      rates.pool += (await rateOf(texts, (text) => pool.embed([text], { priority: 'query' }))) / ROUNDS;
    } finally {
      await pool.close();
    }
  }
  return rates;
}

async function rateOverHttp(
  texts: readonly string[],
  input: BenchInput,
): Promise<{ embeddings: number; search: number }> {
  // What is measured is the rate of many at once; shedding them is what another scenario is about.
  return withCorpus(input, { SEARCH_LATENCY_TARGET: '60s' }, async ({ url }) => {
    const must = async (path: string, body: object): Promise<void> => {
      const { status } = await timed(`${url}${path}`, body);
      if (status !== 200) throw new Error(`${path} answered ${status}`);
    };
    const embed = (input: string): Promise<void> =>
      must('/v1/embeddings', { model: 'all-MiniLM-L6-v2', input, encoding_format: 'base64' });
    const search = (query: string): Promise<void> =>
      must('/v1/search', { query: `${query} again`, collection: 'bench', mode: 'dense', top_k: 1 });
    await rateOf(texts.slice(0, WARM_UP), (text) => embed(`${text} first`));
    return { embeddings: await rateOf(texts, embed), search: await rateOf(texts, search) };
  });
}

/** Single questions of many callers at once are embedded in batches: their rate against that of raw batches. */
export async function benchBatching(report: Report, input: BenchInput): Promise<void> {
  const questions = await questionsOf(input);
  const texts = Array.from({ length: TEXTS }, (_, at) => `${questions[at % questions.length]} ${at}`);
  const { raw, pool } = await poolAgainstRaw(texts, input);
  const share = (rate: number): string =>
    `${((rate / raw) * 100).toFixed(0)} % (${rate.toFixed(0)} of ${raw.toFixed(0)} texts/s)`;
  report.add(
    `query embedding, ${CALLERS} callers of one text, share of raw batches`,
    share(pool),
    '≥ 70 %',
    pool >= 0.7 * raw,
  );
  const { embeddings, search } = await rateOverHttp(texts, input);
  report.add(`the same through /v1/embeddings, ${CALLERS} clients`, share(embeddings), '–');
  report.add(`the same through /v1/search, dense, ${CALLERS} clients`, share(search), '–');
}
