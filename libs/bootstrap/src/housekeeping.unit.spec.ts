import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { startHousekeeping } from './housekeeping.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('ends at once although the brokers never say how far behind the service is', async () => {
  let asked = 0;
  const lag = (): Promise<never> => ((asked += 1), new Promise<never>(() => undefined));
  const subscription = { lag } as never;
  const inbox = { cleanUp: () => Promise.resolve() };
  const stop = startHousekeeping('document', inbox, { subscription }, createLogger('document', 'silent'));
  await jest.advanceTimersByTimeAsync(15_000);
  expect(asked).toBe(1);
  let hasEnded = false;
  void stop().then(() => (hasEnded = true));
  await jest.advanceTimersByTimeAsync(0);
  expect(hasEnded).toBe(true);
});
