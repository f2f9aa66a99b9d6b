import type { Inbox } from '@ragmesh/inbox';
import type { RagmeshServer } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { LagReport } from './lag-report.js';

const INTERVAL_MS = 15_000;

/** Measures lag and removes what the inbox no longer needs, every 15 seconds; the result ends it. */
export function startHousekeeping(service: string, inbox: Inbox, events: RagmeshServer, logger: Logger): () => void {
  const lag = new LagReport(service);
  const ending = new AbortController();
  let isBusy = false;
  const keepHouse = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      lag.show((await events.subscription?.lag()) ?? []);
      await inbox.cleanUp(ending.signal);
    } catch (error) {
      logger.warn({ err: error }, 'Housekeeping will be tried again');
    } finally {
      isBusy = false;
    }
  };
  const timer = setInterval(() => void keepHouse(), INTERVAL_MS).unref();
  return () => {
    clearInterval(timer);
    ending.abort();
  };
}
