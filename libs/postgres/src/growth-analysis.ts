/** Transactions after which statistics are taken, counted from the start of the process. */
const ANALYZE_AFTER = [200, 2_000, 20_000, 200_000];

/**
 * Plain ANALYZE would read the system's catalogues as well, which cost more than the tables of a young database. In the order
 * of their ids, so that two processes never wait for each other in a circle.
 */
const ANALYZE_OWN_TABLES = `
  DO $$ DECLARE own text; BEGIN
    SELECT string_agg(format('%I.%I', schemaname, relname), ', ' ORDER BY relid) INTO own FROM pg_stat_user_tables;
    IF own IS NOT NULL THEN EXECUTE 'ANALYZE ' || own; END IF;
  END $$`;

/**
 * Prepared statements keep the plan they got while tables were nearly empty, when any index looks as good as the right
 * one. Taking statistics makes the server plan them anew; its own autovacuum would do so too, but a minute later.
 */
export class GrowthAnalysis {
  #transactions = 0;

  /** @param run runs a statement; it may fail: nothing but speed depends on it. */
  constructor(private readonly run: (sql: string) => Promise<unknown>) {}

  noteTransaction(): void {
    this.#transactions += 1;
    if (!ANALYZE_AFTER.includes(this.#transactions)) return;
    this.run(ANALYZE_OWN_TABLES).catch(() => undefined); // the next threshold tries again
  }
}
