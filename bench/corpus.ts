import { readQueries } from '../eval/dataset.js';
import { startStandalone, type RunningStandalone } from '../eval/standalone.js';
import type { BenchInput } from './bench-input.js';
import { forEachConcurrently } from '../eval/concurrency.js';
import { uploadText, waitReady } from './requests.js';

/** Documents that most scenarios search in: enough for sources, few enough to be there in seconds. */
const FEW = 200;

/** The texts of the dataset's questions. */
export const questionsOf = async ({ dataset }: BenchInput): Promise<string[]> =>
  (await readQueries(dataset)).map(({ text }) => text);

/**
 * Runs a scenario with a ragmesh of its own that holds a few documents in collection `bench`, and stops it.
 *
 * @param settings variables that differ from their defaults
 */
export async function withCorpus<T>(
  { root, documents }: BenchInput,
  settings: Readonly<Record<string, string>>,
  work: (ragmesh: RunningStandalone) => Promise<T>,
): Promise<T> {
  const ragmesh = await startStandalone(root, settings);
  try {
    const ids: string[] = [];
    await forEachConcurrently(documents.slice(0, FEW), 16, async ({ text }) => {
      ids.push(await uploadText(ragmesh.url, 'bench', text));
    });
    await forEachConcurrently(ids, 16, (id) => waitReady(ragmesh.url, id));
    return await work(ragmesh);
  } finally {
    await ragmesh.stop();
  }
}
