import { RagmeshError } from '@ragmesh/errors';
import { OUTBOX_KEPT_SECONDS } from '@ragmesh/outbox';
import { consumersByTopic, placeOf, type BusPositions, type PartitionExtent } from './bus-positions.js';
import type { Snapshot } from './consistent-cut.js';
import type { TopicPosition } from './manifest.js';

/** A little less than outboxes keep what was published, because the cut comes after the look. */
const KEPT_SECONDS = OUTBOX_KEPT_SECONDS - 300;

/** A partition with what nobody may need any more: everything before `handled`. */
export interface EventPosition extends TopicPosition {
  /** First record that was written within the time the outboxes keep. */
  readonly recent: number;
}

/**
 * How far every reader of a partition has got, at the least: read before the cut, so that all that lies before is in the
 * snapshots of those who handled it. What comes after is published again by a restore, from the outboxes.
 */
export async function readPositions(bus: BusPositions): Promise<EventPosition[]> {
  const topics = [...consumersByTopic.keys()];
  const readers = [...new Set([...consumersByTopic.values()].flat())];
  const handled = new Map<string, Map<string, number>>();
  for (const reader of readers) {
    const own = topics.filter((topic) => consumersByTopic.get(topic)!.includes(reader));
    handled.set(reader, await bus.handledBy(reader, own));
  }
  const slowest = (extent: PartitionExtent): number =>
    Math.min(...consumersByTopic.get(extent.topic)!.map((reader) => handled.get(reader)!.get(placeOf(extent)) ?? 0));
  const extents = await bus.extents(topics, KEPT_SECONDS);
  return extents
    .filter(({ end }) => end > 0)
    .map((extent) => {
      const { topic, partition, low, end, recent } = extent;
      return { topic, partition, handled: Math.max(low, slowest(extent)), end, recent };
    });
}

const KEPT = `
  SELECT DISTINCT published_offset AS "offset" FROM outbox
  WHERE topic = $1 AND published_partition = $2 AND published_offset >= $3 AND published_offset < $4`;

/**
 * An event that waited on the bus for longer than outboxes keep what they published would be lost by a restore.
 * @throws RagmeshError BACKUP.NOT_NOW that names the partition.
 */
export async function requireKept(positions: readonly EventPosition[], snapshots: readonly Snapshot[]): Promise<void> {
  for (const { topic, partition, handled, recent } of positions) {
    if (handled >= recent) continue;
    const kept = new Set<string>();
    for (const { client } of snapshots) {
      const { rows } = await client.query<{ offset: string }>(KEPT, [topic, partition, handled, recent]);
      for (const { offset } of rows) kept.add(offset);
    }
    if (kept.size >= recent - handled) continue;
    const readers = consumersByTopic.get(topic)!.join(', ');
    throw new RagmeshError(
      'BACKUP.NOT_NOW',
      `${recent - handled - kept.size} events of ${topic}/${partition} wait for more than an hour and are kept nowhere but on the bus. Let ${readers} catch up and start again, or leave them out by --leave-old-events.`,
      { topic, partition },
    );
  }
}
