import { jest } from '@jest/globals';

const SOON_MS = 100;

/** Lets timers of these lengths end in a moment, those of the code under test as well. Give lengths that no other timer has. */
export function hastenTimers(...milliseconds: readonly number[]): void {
  const { setTimeout: real } = globalThis;
  const sooner = (callback: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) =>
    real(callback, milliseconds.includes(ms!) ? SOON_MS : ms, ...given);
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(sooner as typeof setTimeout);
}
