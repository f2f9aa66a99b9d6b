import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { Database, type SqlRunner, type SqlTransaction } from '@ragmesh/postgres';
import type { Scope } from './vector-store.js';

const LIVE = 'SELECT generation FROM index_generation WHERE tenant = $1 AND collection = $2 AND live';

const SHOW = `
  INSERT INTO index_generation (tenant, collection, generation, live) VALUES ($1, $2, $3, true)
  ON CONFLICT (tenant, collection, generation) DO UPDATE SET live = true`;

/** Which generation of a collection's index readers see. */
@Injectable()
export class GenerationRepository {
  constructor(private readonly database: Database) {}

  /** The generation readers see; 0 until another one was shown. */
  async live(scope: Scope, runner: SqlRunner = this.database): Promise<number> {
    const { rows } = await runner.query<{ generation: number }>(LIVE, [scope.tenant, scope.collection]);
    return rows[0]?.generation ?? 0;
  }

  /** The generation shown of every collection that shows another one than the first. */
  async shown(): Promise<(Scope & { readonly generation: number })[]> {
    const sql = 'SELECT tenant, collection, generation FROM index_generation WHERE live';
    return (await this.database.query<Scope & { generation: number }>(sql)).rows;
  }

  /** Readers see this generation from the commit on. */
  show(tx: SqlTransaction, { tenant, collection }: Scope, generation: number): void {
    const sql = 'UPDATE index_generation SET live = false WHERE tenant = $1 AND collection = $2 AND live';
    tx.write(sql, [tenant, collection]);
    tx.write(SHOW, [tenant, collection, generation]);
  }

  /** Removes a generation that readers do not see, with its points. @throws RagmeshError `REQUEST.INVALID` for the live one. */
  async remove({ tenant, collection }: Scope, generation: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      if ((await this.live({ tenant, collection }, tx)) === generation) {
        throw new RagmeshError('REQUEST.INVALID', 'Readers see this generation; show another one first.', {
          generation,
        });
      }
      const place = [tenant, collection, generation];
      tx.write('DELETE FROM point WHERE tenant = $1 AND collection = $2 AND generation = $3', place);
      tx.write('DELETE FROM index_generation WHERE tenant = $1 AND collection = $2 AND generation = $3', place);
    });
  }
}
