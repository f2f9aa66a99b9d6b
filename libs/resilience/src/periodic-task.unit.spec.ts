import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PeriodicTask } from './periodic-task.js';

const PAUSE_MS = 1_000;

describe('work done round after round', () => {
  let rounds: { end: (restMs?: number) => void; signal: AbortSignal }[];
  let task: PeriodicTask;

  beforeEach(() => {
    jest.useFakeTimers();
    rounds = [];
    task = new PeriodicTask((signal) => new Promise((end) => rounds.push({ end, signal })), PAUSE_MS);
  });
  afterEach(() => void jest.useRealTimers());

  it('rests after each round, however long it took, and makes up for none', async () => {
    task.start();
    await jest.advanceTimersByTimeAsync(60 * PAUSE_MS);
    expect(rounds).toHaveLength(1);
    rounds[0]!.end();
    await jest.advanceTimersByTimeAsync(PAUSE_MS - 1);
    expect(rounds).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(rounds).toHaveLength(2);
  });

  it('rests as long as a round asks for', async () => {
    task.start(0);
    await jest.advanceTimersByTimeAsync(0);
    rounds[0]!.end(5 * PAUSE_MS);
    await jest.advanceTimersByTimeAsync(5 * PAUSE_MS - 1);
    expect(rounds).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(rounds).toHaveLength(2);
  });

  it('begins when it is told to', async () => {
    task.start(0);
    await jest.advanceTimersByTimeAsync(0);
    expect(rounds).toHaveLength(1);
  });

  it('ends with the round that runs, which is told so', async () => {
    task.start(0);
    await jest.advanceTimersByTimeAsync(0);
    let hasStopped = false;
    const stopping = task.stop().then(() => (hasStopped = true));
    expect(rounds[0]!.signal.aborted).toBe(true);
    await jest.advanceTimersByTimeAsync(60 * PAUSE_MS);
    expect(hasStopped).toBe(false);
    rounds[0]!.end();
    await stopping;
    await jest.advanceTimersByTimeAsync(60 * PAUSE_MS);
    expect(rounds).toHaveLength(1);
  });

  it('can be started again, and twice is once', async () => {
    task.start();
    await task.stop();
    task.start();
    task.start();
    await jest.advanceTimersByTimeAsync(PAUSE_MS);
    expect(rounds).toHaveLength(1);
  });
});
