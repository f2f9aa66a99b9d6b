/** Transactions after which statistics are taken, counted from the start of the process. */
const ANALYZE_AFTER = [200, 2_000, 20_000, 200_000];

/**
 * Prepared statements keep the plan they got while tables were nearly empty, when any index looks as good as the right
 * one. Taking statistics makes the server plan them anew; its own autovacuum would do so too, but a minute later.
 */
export class GrowthAnalysis {
  #transactions = 0;

  /** @param analyze may fail: nothing but speed depends on it. */
  constructor(private readonly analyze: () => Promise<unknown>) {}

  noteTransaction(): void {
    this.#transactions += 1;
    if (ANALYZE_AFTER.includes(this.#transactions)) this.analyze().catch(() => undefined); // the next threshold tries again
  }
}
