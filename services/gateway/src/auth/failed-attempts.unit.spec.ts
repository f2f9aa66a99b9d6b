import { describe, expect, it } from '@jest/globals';
import { FailedAttempts } from './failed-attempts.js';

const fails = async (): Promise<undefined> => undefined;
const holds = async (): Promise<string> => 'somebody';
const refusal = (seconds: number) => ({ code: 'AUTH.TOO_MANY_ATTEMPTS', details: { retry_after: seconds } });

describe('failed attempts', () => {
  it('make their source wait for the rest of the minute, and no other', async () => {
    let now = 0;
    const attempts = new FailedAttempts(3, () => now);
    for (let count = 0; count < 3; count += 1) await attempts.run('192.0.2.1', fails);
    now = 20_000;
    await expect(attempts.run('192.0.2.1', holds)).rejects.toMatchObject(refusal(40));
    expect(await attempts.run('192.0.2.2', holds)).toBe('somebody');
    now = 60_001;
    expect(await attempts.run('192.0.2.1', fails)).toBeUndefined();
    expect(await attempts.run('192.0.2.1', holds)).toBe('somebody');
  });

  it('are made no more often than they may fail, however many come at once', async () => {
    const attempts = new FailedAttempts(3, () => 0);
    const outcomes: ((found: undefined) => void)[] = [];
    const guesses = Array.from({ length: 100 }, () =>
      attempts.run('192.0.2.1', () => new Promise<undefined>((resolve) => outcomes.push(resolve))),
    );
    const ended = Promise.allSettled(guesses);
    expect(outcomes).toHaveLength(3);
    for (const answer of outcomes) answer(undefined);
    const refused = (await ended).filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(97);
    expect(outcomes).toHaveLength(3);
  });

  it('are not those that held, nor those whose outcome cannot be found out: all who wait have their turn', async () => {
    const attempts = new FailedAttempts(3, () => 0);
    const asked = Array.from({ length: 100 }, (_, number) =>
      attempts.run('192.0.2.1', number % 2 ? holds : () => Promise.reject(new Error('away'))),
    );
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
    expect(await attempts.run('192.0.2.1', holds)).toBe('somebody');
  });

  it('count the addresses of one IPv6 subscriber together', async () => {
    const attempts = new FailedAttempts(2, () => 0);
    await attempts.run('2001:db8:1:2::1', fails);
    await attempts.run('2001:db8:1:2:ffff::2', fails);
    await expect(attempts.run('2001:db8:1:2::3', holds)).rejects.toMatchObject(refusal(60));
    expect(await attempts.run('2001:db8:1:3::1', holds)).toBe('somebody');
    expect(await attempts.run('::1', holds)).toBe('somebody');
  });

  it('take no more memory than ten thousand sources need', async () => {
    const attempts = new FailedAttempts(1, () => 0);
    for (let source = 0; source <= 10_000; source += 1)
      await attempts.run(`10.0.${source >> 8}.${source & 255}`, fails);
    expect(await attempts.run('10.0.0.0', holds)).toBe('somebody');
    await expect(attempts.run('10.0.0.1', holds)).rejects.toMatchObject(refusal(60));
  });
});
