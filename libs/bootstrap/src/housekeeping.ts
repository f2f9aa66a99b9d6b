import type { Inbox } from '@ragmesh/inbox';
import type { RagmeshServer, PartitionLag } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { PeriodicTask } from '@ragmesh/resilience';
import { LagReport } from './lag-report.js';

const INTERVAL_MS = 15_000;

/**
 * Measures lag and removes what the inbox no longer needs, every 15 seconds. @returns what ends it, after the round that runs;
 * not after brokers that are silent.
 */
export function startHousekeeping(
  service: string,
  inbox: Pick<Inbox, 'cleanUp'>,
  events: Pick<RagmeshServer, 'subscription'>,
  logger: Logger,
): () => Promise<void> {
  const lag = new LagReport(service);
  const keepHouse = async (ending: AbortSignal): Promise<void> => {
    try {
      lag.show(await lagUnless(ending, events));
      await inbox.cleanUp(ending);
    } catch (error) {
      logger.warn({ err: error }, 'Housekeeping will be tried again');
    }
  };
  const rounds = new PeriodicTask(keepHouse, INTERVAL_MS);
  rounds.start();
  return () => rounds.stop();
}

/** Nothing any more once the service ends: silent brokers are asked for minutes, and calls and streams wait to be drained. */
async function lagUnless(
  ending: AbortSignal,
  { subscription }: Pick<RagmeshServer, 'subscription'>,
): Promise<readonly PartitionLag[]> {
  if (!subscription) return [];
  const { promise: ended, resolve } = Promise.withResolvers<readonly PartitionLag[]>();
  const end = (): void => resolve([]);
  ending.addEventListener('abort', end);
  try {
    return await Promise.race([subscription.lag(), ended]);
  } finally {
    ending.removeEventListener('abort', end);
  }
}
