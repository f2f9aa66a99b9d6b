import type { SqlRunner } from '@ragmesh/postgres';
import type { Scope } from './vector-store.js';

/** Keys of a collection gone through by one statement, as each of them has only so much time. */
const PAGE_KEYS = 5_000;

/** The rows of generations in one table, removed a page at a time: each page is a transaction of its own. */
export class GenerationRows {
  private readonly lastOfPage: string;
  private readonly remove: string;
  private readonly removeUpTo: string;

  /**
   * @param key its key between collection and generation; it begins with the document.
   * @param returning a column whose removed values are told.
   */
  constructor(
    table: string,
    private readonly key: readonly string[],
    returning: string,
  ) {
    const columns = `(${key.join()})`;
    const places = (from: number): string => `(${key.map((_, at) => `$${from + at}`).join()})`;
    const place = 'tenant = $1 AND collection = $2';
    // Other generations' keys count, too: among many of theirs a few would else be looked for too long.
    this.lastOfPage = `
      SELECT ${key.join()} FROM ${table} WHERE ${place} AND ${columns} > ${places(3)}
      ORDER BY ${key.join()} OFFSET ${PAGE_KEYS - 1} LIMIT 1`;
    const page = `${place} AND generation = $3 AND ${columns} > ${places(4)}`;
    const told = `RETURNING ${returning} AS told`;
    this.remove = `DELETE FROM ${table} WHERE ${page} ${told}`;
    this.removeUpTo = `DELETE FROM ${table} WHERE ${page} AND ${columns} <= ${places(4 + key.length)} ${told}`;
  }

  /** One page after the other; whoever stops half-way begins anew with what is left. Nobody adds rows meanwhile. */
  async *removed(
    runner: SqlRunner,
    { tenant, collection }: Scope,
    generation: number,
  ): AsyncGenerator<readonly string[]> {
    for (let after: readonly unknown[] | undefined = ['', ...this.key.slice(1).map(() => 0)]; after;) {
      const last: Record<string, unknown> | undefined = (
        await runner.query(this.lastOfPage, [tenant, collection, ...after])
      ).rows[0];
      const end: readonly unknown[] | undefined = last && this.key.map((column) => last[column]);
      const values = [tenant, collection, generation, ...after, ...(end ?? [])];
      const { rows } = await runner.query<{ told: string }>(end ? this.removeUpTo : this.remove, values);
      yield rows.map(({ told }) => told);
      after = end;
    }
  }
}
