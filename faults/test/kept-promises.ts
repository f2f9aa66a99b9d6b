import { setTimeout as delay } from 'node:timers/promises';
import type { MeshOracle } from '../../services/standalone/test/mesh-oracle.js';

const COLLECTED_WITHIN_MS = 60_000;

/**
 * What the oracle says once blobs of uploads that failed had their time: a commit that failed tells nobody, so the collector
 * finds them by looking, which it does every few seconds.
 */
export async function violationsAfterCollection(oracle: MeshOracle): Promise<string[]> {
  const deadline = performance.now() + COLLECTED_WITHIN_MS;
  let violations = await oracle.violations();
  while (violations.some((each) => each.startsWith('blobs too many')) && performance.now() < deadline) {
    await delay(500);
    violations = await oracle.violations();
  }
  return violations;
}
