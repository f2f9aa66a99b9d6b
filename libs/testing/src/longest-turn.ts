/**
 * Longest turn of the event loop while `work` runs: milliseconds of processor time of this thread between two timers, so
 * that a busy machine is not mistaken for a blocked loop. Meaningful in a process of its own only: a test runner's heap
 * takes longer to collect than a service's.
 */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let before = process.threadCpuUsage();
  const watch = setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    longest = Math.max(longest, (user + system) / 1000);
    before = process.threadCpuUsage();
  }, 1);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  return longest;
}
