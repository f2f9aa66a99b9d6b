import type { TopicSpec } from '@ragmesh/contracts';

/** How a topic lies in the cluster. */
export interface ExistingTopic {
  /** Without the installation's prefix. */
  readonly name: string;
  readonly partitions: number;
  /** Copies of the partition that has fewest. */
  readonly replicas: number;
  readonly config: Readonly<Record<string, string>>;
}

/** What topics are to be like, beside what the catalogue says of each. */
export interface WantedTopics {
  readonly maxRecordBytes: number;
  /** Copies of each partition; more do no harm. */
  readonly replicas: number;
}

/** Where cluster and catalogue differ: `setting` is `topic`, `partitions`, `replicas` or the name of a topic setting. */
export interface TopicDrift {
  readonly topic: string;
  readonly setting: string;
  readonly wanted: string;
  readonly found: string;
  /** False where `apply` must not or cannot change it: partitions are never taken away, and copies are laid by the cluster's own tools. */
  readonly repairable: boolean;
}

/** The settings every topic of the catalogue gets. Times are those of the broker, so that lag in seconds has one clock. */
export function topicConfig({ retentionHours }: TopicSpec, maxRecordBytes: number): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(Math.round(retentionHours * 3_600_000)),
    'message.timestamp.type': 'LogAppendTime',
    'max.message.bytes': String(maxRecordBytes + BATCH_OVERHEAD),
  };
}

/** A batch of one record at the limit must fit, with its header and the record's. */
const BATCH_OVERHEAD = 4_096;

/**
 * What topics with so many copies get besides: with two in sync, a broker may be lost right after it acknowledged. Fewer copies get
 * none, since the loss of one broker would then stop all writing.
 */
export const copiesConfig = (replicas: number): Record<string, string> =>
  replicas > 2 ? { [IN_SYNC]: String(COPIES_IN_SYNC) } : {};

const IN_SYNC = 'min.insync.replicas';
const COPIES_IN_SYNC = 2;

/** What has to change for the cluster to be as the catalogue says. Topics the catalogue does not name are left alone. */
export function topicDrift(
  specs: readonly TopicSpec[],
  existing: readonly ExistingTopic[],
  { maxRecordBytes, replicas }: WantedTopics,
): TopicDrift[] {
  const byName = new Map(existing.map((topic) => [topic.name, topic]));
  return specs.flatMap((spec): TopicDrift[] => {
    const found = byName.get(spec.name);
    const topic = spec.name;
    if (!found) return [{ topic, setting: 'topic', wanted: 'present', found: 'missing', repairable: true }];
    const wanted = Object.entries(topicConfig(spec, maxRecordBytes));
    return [
      ...partitionDrift(spec, found),
      ...replicaDrift(found, replicas),
      ...wanted
        .filter(([setting, value]) => found.config[setting] !== value)
        .map(([setting, value]) => ({
          topic,
          setting,
          wanted: value,
          found: found.config[setting] ?? '',
          repairable: true,
        })),
    ];
  });
}

function partitionDrift(spec: TopicSpec, found: ExistingTopic): TopicDrift[] {
  if (spec.partitions === found.partitions) return [];
  return [
    {
      topic: spec.name,
      setting: 'partitions',
      wanted: String(spec.partitions),
      found: String(found.partitions),
      repairable: spec.partitions > found.partitions,
    },
  ];
}

/** What keeps more than asked for is left alone. */
function replicaDrift({ name: topic, replicas, config }: ExistingTopic, wanted: number): TopicDrift[] {
  const tooFew = { topic, setting: 'replicas', wanted: String(wanted), found: String(replicas), repairable: false };
  const inSync = Object.entries(copiesConfig(replicas))
    .filter(([setting, least]) => Number(config[setting] ?? 0) < Number(least))
    .map(([setting, least]) => ({ topic, setting, wanted: least, found: config[setting] ?? '', repairable: true }));
  return [...(replicas < wanted ? [tooFew] : []), ...inSync];
}
