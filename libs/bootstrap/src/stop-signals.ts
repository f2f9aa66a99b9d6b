/** A terminal tells everybody in its foreground to stop, and npm tells its child again: what comes within this time is one wish. */
const ONE_WISH_MS = 1_000;

/**
 * Calls `stop` when this process is asked to end (SIGINT, SIGTERM), and `stopAtOnce` each time it is asked again.
 * @param now in ms.
 */
export function onStopSignals(stop: () => void, stopAtOnce: () => void, now = (): number => performance.now()): void {
  let asked: number | undefined;
  const ask = (): void => {
    if (asked === undefined) {
      asked = now();
      stop();
    } else if (now() - asked >= ONE_WISH_MS) stopAtOnce();
  };
  process.on('SIGINT', ask).on('SIGTERM', ask);
}
