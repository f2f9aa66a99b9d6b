import { describe, expect, it } from '@jest/globals';
import { FailedAttempts } from './failed-attempts.js';

describe('failed attempts', () => {
  it('make their source wait for the rest of the minute, and no other', () => {
    let now = 0;
    const attempts = new FailedAttempts(3, () => now);
    for (let count = 0; count < 3; count += 1) {
      expect(attempts.secondsToWait('192.0.2.1')).toBe(0);
      attempts.note('192.0.2.1');
    }
    now = 20_000;
    expect(attempts.secondsToWait('192.0.2.1')).toBe(40);
    expect(attempts.secondsToWait('192.0.2.2')).toBe(0);
    now = 60_001;
    expect(attempts.secondsToWait('192.0.2.1')).toBe(0);
    attempts.note('192.0.2.1');
    expect(attempts.secondsToWait('192.0.2.1')).toBe(0);
  });

  it('count the addresses of one IPv6 subscriber together', () => {
    const attempts = new FailedAttempts(2, () => 0);
    attempts.note('2001:db8:1:2::1');
    attempts.note('2001:db8:1:2:ffff::2');
    expect(attempts.secondsToWait('2001:db8:1:2::3')).toBe(60);
    expect(attempts.secondsToWait('2001:db8:1:3::1')).toBe(0);
    expect(attempts.secondsToWait('::1')).toBe(0);
  });

  it('take no more memory than ten thousand sources need', () => {
    const attempts = new FailedAttempts(1, () => 0);
    for (let source = 0; source <= 10_000; source += 1) attempts.note(`10.0.${source >> 8}.${source & 255}`);
    expect(attempts.secondsToWait('10.0.0.0')).toBe(0);
    expect(attempts.secondsToWait('10.0.0.1')).toBe(60);
  });
});
