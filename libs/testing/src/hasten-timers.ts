import { jest } from '@jest/globals';

const SOON_MS = 100;

/** Lets timers of one length end in a moment, those of the code under test as well. Give a length that no other timer has. */
export function hastenTimers(milliseconds: number): void {
  const { setTimeout: real } = globalThis;
  const sooner = (callback: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) =>
    real(callback, ms === milliseconds ? SOON_MS : ms, ...given);
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(sooner as typeof setTimeout);
}
