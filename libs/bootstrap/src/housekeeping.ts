import type { Inbox } from '@ragmesh/inbox';
import type { RagmeshServer } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { PeriodicTask } from '@ragmesh/resilience';
import { LagReport } from './lag-report.js';

const INTERVAL_MS = 15_000;

/** Measures lag and removes what the inbox no longer needs, every 15 seconds. @returns what ends it, after the round that runs. */
export function startHousekeeping(
  service: string,
  inbox: Inbox,
  events: RagmeshServer,
  logger: Logger,
): () => Promise<void> {
  const lag = new LagReport(service);
  const keepHouse = async (ending: AbortSignal): Promise<void> => {
    try {
      lag.show((await events.subscription?.lag()) ?? []);
      await inbox.cleanUp(ending);
    } catch (error) {
      logger.warn({ err: error }, 'Housekeeping will be tried again');
    }
  };
  const rounds = new PeriodicTask(keepHouse, INTERVAL_MS);
  rounds.start();
  return () => rounds.stop();
}
