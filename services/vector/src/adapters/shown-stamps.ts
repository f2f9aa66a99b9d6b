import { Injectable } from '@nestjs/common';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import type { Scope } from './vector-store.js';

const CHANGE = `
  INSERT INTO shown_collection AS known (tenant, collection, stamp) VALUES ($1, $2, gen_random_uuid())
  ON CONFLICT (tenant, collection) DO UPDATE SET stamp = excluded.stamp`;

/** Stamps of what readers see, beside the rows that decide on it; for stores that any copy of the service may change. */
@Injectable()
export class ShownStamps {
  constructor(private readonly database: Database) {}

  /** With the commit readers see something else. */
  change(tx: SqlTransaction, { tenant, collection }: Scope): void {
    tx.writeLast(JSON.stringify(['shown', tenant, collection]), CHANGE, [tenant, collection]);
  }

  /** Empty while nothing was ever shown. */
  async of({ tenant, collection }: Scope): Promise<string> {
    const sql = 'SELECT stamp FROM shown_collection WHERE tenant = $1 AND collection = $2';
    return (await this.database.query<{ stamp: string }>(sql, [tenant, collection])).rows[0]?.stamp ?? '';
  }
}
