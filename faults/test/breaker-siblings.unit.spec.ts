import { expect, it } from '@jest/globals';
import { circuitBreaker } from '@ragmesh/resilience';

it('a call that takes too long is aborted alone: nineteen beside it through the same breaker end well', async () => {
  const breaker = circuitBreaker('siblings', { timeoutMs: 300 });
  const aborted: number[] = [];
  const call = (number: number) =>
    breaker.run(
      (signal) =>
        new Promise<number>((resolve) => {
          signal.addEventListener('abort', () => aborted.push(number));
          // The others are under way when the slow one is given up, and end after it.
          if (number !== 0) setTimeout(() => resolve(number), number === 1 ? 10 : 200);
        }),
    );
  const slow = call(0);
  slow.catch(() => undefined); // asserted below, after it may have failed
  await new Promise((resolve) => setTimeout(resolve, 200));
  const others = Array.from({ length: 19 }, (_, index) => call(index + 1));
  await expect(slow).rejects.toMatchObject({ code: 'REQUEST.TIMEOUT' });
  expect(await Promise.all(others)).toEqual(Array.from({ length: 19 }, (_, index) => index + 1));
  expect(aborted).toEqual([0]);
  expect(breaker.state).toBe('closed');
  breaker.shutdown();
});
