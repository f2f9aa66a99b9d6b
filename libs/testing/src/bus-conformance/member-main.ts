import type { BusDriver, BusRecord, TopicPartition } from '@ragmesh/messaging';

interface Setup {
  readonly module: string;
  readonly config: unknown;
  readonly topic: string;
  readonly group: string;
}

const setup = JSON.parse(process.argv[2]!) as Setup;
const { createDriver } = (await import(setup.module)) as { createDriver(config: unknown): Promise<BusDriver> };
const driver = await createDriver(setup.config);

const subscription = await driver.subscribe({
  group: setup.group,
  topics: [setup.topic],
  sink: {
    deliver(records: readonly BusRecord[]) {
      const delivered = records.map(({ partition, offset, value }) => ({
        partition,
        offset,
        value: Buffer.from(value).toString(),
      }));
      process.send!({ delivered });
    },
    revoked(partitions: readonly TopicPartition[]) {
      process.send!({ revoked: partitions.map(({ partition }) => partition) });
      return Promise.resolve();
    },
  },
});
process.on('message', ({ partition, offset }: { partition: number; offset: number }) => {
  const stored = subscription.commit([{ topic: setup.topic, partition, offset }]).catch(() => undefined);
  void stored.then(() => process.send!({ committed: true }));
});
process.on('disconnect', () => process.exit());
process.send!({ joined: true });
