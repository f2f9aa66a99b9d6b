import { execFileSync } from 'node:child_process';

/** Resident memory of one process in MB, as the operating system counts it. */
export const residentMb = (pid: number): number =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;

export interface MemorySample {
  readonly seconds: number;
  readonly megabytes: number;
}

/** Looks at the memory of a process again and again while something runs. */
export async function watchMemory<T>(
  pid: number,
  everySeconds: number,
  work: () => Promise<T>,
): Promise<{ result: T; samples: MemorySample[] }> {
  const begin = performance.now();
  const samples: MemorySample[] = [];
  const look = (): void =>
    void samples.push({ seconds: (performance.now() - begin) / 1000, megabytes: residentMb(pid) });
  look();
  const looking = setInterval(look, everySeconds * 1000);
  try {
    const result = await work();
    look();
    return { result, samples };
  } finally {
    clearInterval(looking);
  }
}

/** Growth in MB per minute: the slope of the least-squares line. */
export function slopePerMinute(samples: readonly MemorySample[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(samples.map(({ seconds }) => seconds));
  const y = mean(samples.map(({ megabytes }) => megabytes));
  const covariance = mean(samples.map(({ seconds, megabytes }) => (seconds - x) * (megabytes - y)));
  return (covariance / mean(samples.map(({ seconds }) => (seconds - x) ** 2))) * 60;
}
