import { fileURLToPath } from 'node:url';
import { migrate, type Database, type SqlTransaction } from '@ragmesh/postgres';

const folder = fileURLToPath(new URL('../../../prisma/pgvector', import.meta.url));

const MAX_INDEXED = 2_000;

/** What the pgvector driver needs in the database beyond the service's own tables. */
export class PgvectorSchema {
  /** Lengths whose index is known to be committed. */
  private readonly indexed = new Set<number>();

  constructor(private readonly database: Database) {}

  /**
   * Creates extension and table; only this driver asks for them.
   * @throws RagmeshError `STORAGE.MIGRATION_FAILED`, also where the server has no such extension.
   */
  async prepare(): Promise<void> {
    await migrate(String(this.database.pool.options.connectionString), folder);
  }

  /**
   * An HNSW index holds vectors of one length, so each length gets its own when its first vectors come. It is made in their
   * transaction: on another connection it would wait for this one. Longer vectors than it can hold are searched exactly.
   */
  async ensureIndex(tx: SqlTransaction, dimension: number): Promise<void> {
    if (dimension > MAX_INDEXED || this.indexed.has(dimension)) return;
    const name = `point_search_hnsw_${dimension}`;
    const { rows } = await tx.query('SELECT 1 WHERE to_regclass($1) IS NOT NULL', [name]);
    if (rows.length > 0) return void this.indexed.add(dimension);
    tx.write('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
    tx.write(`CREATE INDEX IF NOT EXISTS ${name} ON point_search
      USING hnsw ((embedding::vector(${dimension})) vector_cosine_ops) WITH (m = 16, ef_construction = 128)
      WHERE dimension = ${dimension}`);
  }
}
