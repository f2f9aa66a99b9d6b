import { RagmeshError } from '@ragmesh/errors';
import type { Credential } from './credential.js';
import { FailureWindows } from './failure-windows.js';

/**
 * Counts wrong secrets by the id of the key, wherever they come from, and tells who sends too many to wait. It is a sign for whoever
 * watches refusals, not what keeps guesses out: that are the secret's 256 bits. The right secret is taken however many were
 * wrong, so nobody locks a key's owner out by guessing.
 */
export class GuessedKeys {
  readonly #wrong = new FailureWindows();

  /** @param limit per minute and key id. */
  constructor(private readonly limit: number) {}

  /**
   * Makes an attempt, which failed when it gives undefined. Whether there is such a key makes no difference.
   * @throws RagmeshError AUTH.TOO_MANY_ATTEMPTS when it failed after too many others; or what the attempt throws, which does not
   * count.
   */
  async run<T>(credential: Credential | undefined, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
    const outcome = await attempt();
    if (outcome !== undefined || credential?.kind !== 'key') return outcome;
    if (this.#wrong.count(credential.id) < this.limit) {
      this.#wrong.note(credential.id);
      return undefined;
    }
    throw new RagmeshError('AUTH.TOO_MANY_ATTEMPTS', 'Too many secrets for this key did not hold.', {
      retry_after: this.#wrong.secondsLeft(credential.id),
    });
  }
}
