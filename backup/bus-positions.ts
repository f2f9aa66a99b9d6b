import { serviceNames, topicsConsumedBy, type ServiceName } from '@ragmesh/contracts';

/** A partition as the bus has it. */
export interface PartitionExtent {
  readonly topic: string;
  readonly partition: number;
  /** Oldest record that is still there, and the one that will come next. */
  readonly low: number;
  readonly end: number;
  /** First record younger than asked for; `end` without one. */
  readonly recent: number;
}

/** Where a bus stands: how far topics are written, and how far each service has got. */
export interface BusPositions {
  /** Partitions of these topics, those that exist. `recentSeconds` says what counts as recent. */
  extents(topics: readonly string[], recentSeconds: number): Promise<PartitionExtent[]>;
  /** By topic and partition, as {@link placeOf} names them: the next record this service will take; absent where it took none. */
  handledBy(service: ServiceName, topics: readonly string[]): Promise<Map<string, number>>;
  close(): Promise<void>;
}

export const placeOf = ({ topic, partition }: Pick<PartitionExtent, 'topic' | 'partition'>): string =>
  `${topic}/${partition}`;

/** Who reads which topic; a topic nobody reads is in no list. */
export const consumersByTopic: ReadonlyMap<string, readonly ServiceName[]> = (() => {
  const consumers = new Map<string, ServiceName[]>();
  for (const service of serviceNames)
    for (const topic of topicsConsumedBy(service)) consumers.set(topic, [...(consumers.get(topic) ?? []), service]);
  return consumers;
})();
