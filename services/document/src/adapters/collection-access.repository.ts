import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { mayRead, type AccessList } from '@ragmesh/observability';
import { Database, type SqlRunner, type SqlTransaction } from '@ragmesh/postgres';

/** A seal ends with the next list, not with one of its own revision that comes late. */
const SET = `
  INSERT INTO collection_access AS known (tenant, collection, access, revision) VALUES ($1, $2, $3, $4)
  ON CONFLICT (tenant, collection) DO UPDATE SET access = excluded.access, revision = excluded.revision,
    sealed = known.sealed AND known.revision = excluded.revision,
    sealed_until = CASE WHEN known.revision = excluded.revision THEN known.sealed_until END
  WHERE known.revision <= excluded.revision`;

/** Far longer than a deletion may take once it has its seal. One that ended without a word must not keep uploads out for good. */
const SEAL_SECONDS = 60;

const SEAL = `
  INSERT INTO collection_access AS known (tenant, collection, revision, sealed, sealed_until)
  VALUES ($1, $2, $3, true, clock_timestamp() + interval '${SEAL_SECONDS} seconds')
  ON CONFLICT (tenant, collection) DO UPDATE SET revision = excluded.revision, sealed = true,
    sealed_until = excluded.sealed_until
  WHERE known.revision <= excluded.revision`;

const HELD = `
  SELECT count(*)::int AS documents FROM document WHERE tenant = $1 AND collection = $2 AND status <> 'deleted'`;

interface KnownList {
  readonly access: AccessList;
  readonly sealed: boolean;
}

/** A deletion that has its seal ends within seconds, one way or the other. */
const SEALED_RETRY_SECONDS = 5;

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

  /**
   * Keeps uploads out until a list of a higher revision comes, for a minute at most. Those under way are waited for.
   * @returns whether it is sealed: not while a newer list is known.
   * @throws RagmeshError COLLECTION.NOT_EMPTY with the number of its documents, ready or not, begun or not.
   */
  async seal(tenant: string, collection: string, revision: number): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      tx.write('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lockOf(tenant, collection)]);
      const { documents } = (await tx.query<{ documents: number }>(HELD, [tenant, collection])).rows[0]!;
      if (documents > 0) throw notEmpty(collection, documents);
      return (await tx.query(SEAL, [tenant, collection, revision])).rowCount > 0;
    });
  }

  async admits(tenant: string, collection: string, principals: readonly string[]): Promise<boolean> {
    const { access } = await this.#find(tenant, collection);
    return mayRead(access, principals);
  }

  /**
   * Whether one of the principals may upload to it. Until the transaction ends it is not sealed.
   * @throws RagmeshError DEPENDENCY.UNAVAILABLE while it is, to those who may read it: nobody knows yet whether it goes.
   */
  async admitsUpload(
    tx: SqlTransaction,
    tenant: string,
    collection: string,
    principals: readonly string[],
  ): Promise<boolean> {
    tx.write('SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [lockOf(tenant, collection)]);
    const { access, sealed } = await this.#find(tenant, collection, tx);
    const isAdmitted = mayRead(access, principals);
    if (isAdmitted && sealed) throw beingDeleted(collection);
    return isAdmitted;
  }

  async #find(tenant: string, collection: string, sql: SqlRunner = this.database): Promise<KnownList> {
    const { rows } = await sql.query<KnownList>(
      `SELECT access, sealed AND coalesce(sealed_until > clock_timestamp(), true) AS sealed
       FROM collection_access WHERE tenant = $1 AND collection = $2`,
      [tenant, collection],
    );
    return rows[0] ?? { access: null, sealed: false };
  }
}

const lockOf = (tenant: string, collection: string): string => `collection/${tenant}/${collection}`;

const beingDeleted = (id: string): RagmeshError => {
  const message = `The collection "${id}" is being deleted; it takes no uploads meanwhile.`;
  return new RagmeshError('DEPENDENCY.UNAVAILABLE', message, { id, retryAfter: SEALED_RETRY_SECONDS });
};

const notEmpty = (id: string, documents: number): RagmeshError =>
  new RagmeshError(
    'COLLECTION.NOT_EMPTY',
    `The collection "${id}" holds ${documents === 1 ? 'a document' : `${documents} documents`}.`,
    { id, documents },
  );
