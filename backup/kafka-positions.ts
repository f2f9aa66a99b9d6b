import { consumerGroup, type ServiceName } from '@ragmesh/contracts';
import type { KafkaBusDriver } from '@ragmesh/messaging';
import { placeOf, type BusPositions, type PartitionExtent } from './bus-positions.js';

/** Where a Kafka cluster stands. */
export class KafkaPositions implements BusPositions {
  constructor(private readonly driver: KafkaBusDriver) {}

  extents(topics: readonly string[], recentSeconds: number): Promise<PartitionExtent[]> {
    return this.driver.extents.of(topics, Date.now() - recentSeconds * 1_000);
  }

  async handledBy(service: ServiceName, topics: readonly string[]): Promise<Map<string, number>> {
    const taken = await this.driver.extents.taken(consumerGroup(service), topics);
    return new Map(taken.map((position) => [placeOf(position), position.offset]));
  }

  close(): Promise<void> {
    return this.driver.close();
  }
}
