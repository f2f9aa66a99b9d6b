import type { RagmeshClient } from './client.js';
import { forEachConcurrently } from './concurrency.js';
import type { Configuration } from './configurations.js';
import { readCorpus, readQueries } from './dataset.js';
import { summarise, type ModeReport, type Ranking } from './report.js';

const UPLOADS_AT_ONCE = 32;
const SEARCHES_AT_ONCE = 4;
const TOP_K = 100;

export type Progress = (line: string) => void;

export interface Ingested {
  readonly ready: number;
  /** Documents without text, which the server rightly refuses. */
  readonly empty: number;
}

/** Uploads the corpus, one chunk per document, and waits until all of it is searchable. */
export async function ingest(
  client: RagmeshClient,
  folder: string,
  collection: string,
  progress: Progress,
): Promise<Ingested> {
  const accepted: string[] = [];
  let empty = 0;
  await forEachConcurrently(readCorpus(folder), UPLOADS_AT_ONCE, async ({ id, text }) => {
    if (await client.upload(collection, id, text)) accepted.push(id);
    else empty += 1;
    if ((accepted.length + empty) % 500 === 0) progress(`uploaded ${accepted.length + empty}`);
  });
  let ready = 0;
  await forEachConcurrently(accepted, UPLOADS_AT_ONCE, async (id) => {
    if (await client.waitUntilReady(id)) ready += 1;
    else empty += 1;
    if (ready % 500 === 0) progress(`ready ${ready} of ${accepted.length}`);
  });
  progress(`ready ${ready}, empty ${empty}`);
  return { ready, empty };
}

/** Asks every judged question in one configuration. */
export async function measure(
  client: RagmeshClient,
  folder: string,
  collection: string,
  { name, fields }: Configuration,
): Promise<ModeReport> {
  const rankings: Ranking[] = [];
  await forEachConcurrently(await readQueries(folder), SEARCHES_AT_ONCE, async (query) => {
    const from = performance.now();
    const ranked = await client.search(collection, query.text, fields, TOP_K);
    rankings.push({ query, ranked, milliseconds: performance.now() - from });
  });
  return summarise(name, rankings);
}
