import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '@ragmesh/contracts';
import type { MeshProcess } from './mesh-process.js';
import { citedDocuments, uploadText, waitReady } from './requests.js';

/** A caller whose request met the dead process tries again. */
const RETRY_MS = 50;
const GIVE_UP_MS = 60_000;

/**
 * Milliseconds from killing a service until a document uploaded after that is ready and an answer cites it: the answer passes
 * through retrieval and generation, which a new document does not.
 */
export async function measureRecovery({ url, pidOf }: MeshProcess, service: ServiceName): Promise<number> {
  await waitReady(url, await uploadText(url, 'recovery', `Before ${service} is killed at ${Date.now()}.`));
  process.kill(pidOf(service), 'SIGKILL');
  const begin = performance.now();
  const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (performance.now() - begin > GIVE_UP_MS) throw error;
        await delay(RETRY_MS);
      }
    }
  };
  const text = `After ${service} was killed at ${Date.now()}.`;
  const id = await patiently(() => uploadText(url, 'recovery', text));
  await patiently(() => waitReady(url, id));
  await patiently(async () => {
    const cited = await citedDocuments(url, { query: text, collection: 'recovery' });
    if (!cited.includes(id)) throw new Error(`No answer cites ${id} after ${service} was killed`);
  });
  return performance.now() - begin;
}
