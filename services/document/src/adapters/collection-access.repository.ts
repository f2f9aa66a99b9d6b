import { Injectable } from '@nestjs/common';
import { mayRead, type AccessList } from '@ragmesh/observability';
import { Database, type SqlRunner } from '@ragmesh/postgres';

const SET = `
  INSERT INTO collection_access AS known (tenant, collection, access, revision) VALUES ($1, $2, $3, $4)
  ON CONFLICT (tenant, collection) DO UPDATE SET access = excluded.access, revision = excluded.revision
  WHERE known.revision <= excluded.revision`;

/** Who may read what is in a collection, as knowledge told. */
@Injectable()
export class CollectionAccess {
  constructor(private readonly database: Database) {}

  /** Keeps a list unless a newer one is known. @returns whether it was kept. */
  async set(
    tenant: string,
    collection: string,
    list: { readonly access: AccessList; readonly revision: number },
    sql: SqlRunner = this.database,
  ): Promise<boolean> {
    return (await sql.query(SET, [tenant, collection, list.access, list.revision])).rowCount > 0;
  }

  async admits(
    tenant: string,
    collection: string,
    principals: readonly string[],
    sql: SqlRunner = this.database,
  ): Promise<boolean> {
    const { rows } = await sql.query<{ access: AccessList }>(
      'SELECT access FROM collection_access WHERE tenant = $1 AND collection = $2',
      [tenant, collection],
    );
    return mayRead(rows[0]?.access ?? null, principals);
  }
}
