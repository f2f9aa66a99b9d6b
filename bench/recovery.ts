import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '@ragmesh/contracts';
import type { MeshProcess } from './mesh-process.js';
import { uploadText, waitReady } from './requests.js';

/** A caller whose request met the dead process tries again. */
const RETRY_MS = 50;
const GIVE_UP_MS = 60_000;

/** Milliseconds from killing a service until a document uploaded after that is ready. */
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
  const id = await patiently(() => uploadText(url, 'recovery', `After ${service} was killed at ${Date.now()}.`));
  await patiently(() => waitReady(url, id));
  return performance.now() - begin;
}
