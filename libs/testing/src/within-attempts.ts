/**
 * For what one stall of the machine can spoil: resolves with the first outcome that holds, or with that of the last attempt,
 * which its spec then finds wanting. What an attempt throws ends them at once.
 */
export async function withinAttempts<T>(
  attempts: number,
  attempt: (number: number) => T | Promise<T>,
  holds: (outcome: T) => boolean,
): Promise<T> {
  for (let number = 1; ; number += 1) {
    const outcome = await attempt(number);
    if (number >= attempts || holds(outcome)) return outcome;
  }
}
