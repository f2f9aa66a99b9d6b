import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { KafkaServer } from '@ragmesh/local-servers';
import { describeWithServer } from '@ragmesh/testing';
import { startFaultyStandalone, type FaultyStandalone } from './faulty-standalone.js';

/** The suite twice, "over tables" and "over Kafka": these words are how the fault matrix tells the modes apart. */
export function onBothBuses(title: string, suite: (mesh: () => FaultyStandalone) => void): void {
  describe(`${title}, over tables`, () => {
    let mesh: FaultyStandalone;
    beforeAll(async () => void (mesh = await startFaultyStandalone()));
    afterAll(() => mesh?.close());
    suite(() => mesh);
  });

  describeWithServer('kafka', `${title}, over Kafka`, () => {
    let mesh: FaultyStandalone;
    const kafka = ownKafka();
    beforeAll(async () => void (mesh = await startFaultyStandalone({ kafka: kafka() })));
    afterAll(() => mesh?.close());
    suite(() => mesh);
  });
}

/** Brokers of the surrounding `describe`, in a folder that goes with them. */
export function ownKafka(): () => KafkaServer {
  let folder: string;
  let kafka: KafkaServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-faults-kafka-'));
    kafka = await KafkaServer.start({ dataDir: folder, heapMb: 320 });
  });
  afterAll(async () => {
    await kafka?.kill();
    await rm(folder, { recursive: true, force: true });
  });
  return () => kafka;
}
