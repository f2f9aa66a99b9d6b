import type { Inbox } from '@ragmesh/inbox';
import type { RagmeshServer } from '@ragmesh/messaging';
import { gauge, type Logger } from '@ragmesh/observability';

const INTERVAL_MS = 15_000;

/** Measures lag and removes what the inbox no longer needs, every 15 seconds; the result ends it. */
export function startHousekeeping(service: string, inbox: Inbox, events: RagmeshServer, logger: Logger): () => void {
  const timer = setInterval(() => void keepHouse(service, inbox, events, logger), INTERVAL_MS).unref();
  return () => clearInterval(timer);
}

async function keepHouse(service: string, inbox: Inbox, events: RagmeshServer, logger: Logger): Promise<void> {
  try {
    for (const [topic, lag] of await lagByTopic(events)) {
      gauge('ragmesh_consumer_lag_records').set({ service, topic }, lag.records);
      gauge('ragmesh_consumer_lag_seconds').set({ service, topic }, lag.seconds);
    }
    await inbox.cleanUp();
  } catch (error) {
    logger.warn({ err: error }, 'Housekeeping will be tried again');
  }
}

async function lagByTopic(events: RagmeshServer): Promise<Map<string, { records: number; seconds: number }>> {
  const byTopic = new Map<string, { records: number; seconds: number }>();
  for (const { topic, records, seconds } of (await events.subscription?.lag()) ?? []) {
    const sum = byTopic.get(topic) ?? { records: 0, seconds: 0 };
    byTopic.set(topic, { records: sum.records + records, seconds: Math.max(sum.seconds, seconds) });
  }
  return byTopic;
}
