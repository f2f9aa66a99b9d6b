import { afterEach, describe } from '@jest/globals';
import type { BusDriver } from '@ragmesh/messaging';
import type { BusUnderTest } from './bus-fixture.js';
import { faultConformance } from './fault-conformance.js';
import { groupConformance } from './group-conformance.js';
import { logConformance } from './log-conformance.js';

/** Makes a driver that is closed after the test. */
export type Connect = (leaseMs?: number) => Promise<BusDriver>;

/** The contract of `BusDriver`, as a Jest suite every driver has to pass on a real broker. */
export function busConformance(name: string, bus: BusUnderTest): void {
  describe(`${name} keeps the bus contract`, () => {
    const drivers: BusDriver[] = [];
    const connect: Connect = async (leaseMs) => {
      const driver = await bus.createDriver(leaseMs);
      drivers.push(driver);
      return driver;
    };
    afterEach(async () => {
      await Promise.all(drivers.splice(0).map((driver) => driver.close()));
    });
    const connectPatiently: Connect = (leaseMs = bus.patientLeaseMs) => connect(leaseMs);
    logConformance(bus, connectPatiently);
    groupConformance(connectPatiently);
    faultConformance(bus, connect);
  });
}
