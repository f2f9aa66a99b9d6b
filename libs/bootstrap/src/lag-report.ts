import type { PartitionLag } from '@ragmesh/messaging';
import { gauge } from '@ragmesh/observability';

/** Shows how far this copy of a service is behind, by topic. A topic whose partitions moved to another copy is that one's to report. */
export class LagReport {
  readonly #shown = new Set<string>();

  constructor(private readonly service: string) {}

  /** @param lags of the partitions this copy holds now; of several of a topic, records add up and the oldest decides the seconds. */
  show(lags: readonly PartitionLag[]): void {
    const { service } = this;
    const byTopic = Map.groupBy(lags, ({ topic }) => topic);
    for (const topic of this.#shown) {
      if (byTopic.has(topic)) continue;
      gauge('ragmesh_consumer_lag_records').remove({ service, topic });
      gauge('ragmesh_consumer_lag_seconds').remove({ service, topic });
      this.#shown.delete(topic);
    }
    for (const [topic, held] of byTopic) {
      const records = held.reduce((sum, lag) => sum + lag.records, 0);
      gauge('ragmesh_consumer_lag_records').set({ service, topic }, records);
      gauge('ragmesh_consumer_lag_seconds').set({ service, topic }, Math.max(...held.map(({ seconds }) => seconds)));
      this.#shown.add(topic);
    }
  }
}
