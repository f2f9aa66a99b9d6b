import { randomUUID } from 'node:crypto';
import type { BusDriver } from '@ragmesh/messaging';

/** What the suite needs of a bus. Drivers made by it share one broker. */
export interface BusUnderTest {
  /** @param leaseMs how long a silent member keeps its partitions; by default as the suite's processes have it. */
  createDriver(leaseMs?: number): Promise<BusDriver>;
  /** Stops the broker hard and starts it again with the same data. */
  restartBroker?(): Promise<void>;
  /** A module (file URL) whose `createDriver(config)` makes a driver in a process of its own. */
  readonly driverModule?: string;
  driverConfig?(): Record<string, unknown>;
  /** Lease of members that are to stay whatever the machine does: one that was put out is given all it had not committed again. */
  readonly patientLeaseMs: number;
  /** Longest time until a dead member's partitions have moved, in ms. */
  readonly takeoverMs: number;
  /** Bytes of a value that the bus must refuse; with what is around it, just more than it takes. */
  readonly oversizedBytes: number;
}

/** A topic of its own per test, so that tests do not meet. */
export async function freshTopic(driver: BusDriver, partitions = 1): Promise<string> {
  const name = `conformance.${randomUUID()}`;
  await driver.provision([{ name, partitions, retentionHours: 24 }]);
  return name;
}

export const freshGroup = (): string => `group-${randomUUID()}`;
