import { mayRead, type AccessList } from '@ragmesh/observability';
import type { Database, SqlRunner, SqlTransaction } from '@ragmesh/postgres';
import { LRUCache } from 'lru-cache';
import type { DocumentKey } from './document-index.repository.js';
import type { Scope } from './vector-store.js';

/** A list, and which of two is the newer. */
export interface RevisedAccess {
  readonly access: AccessList;
  readonly revision: number;
}

/** Who sees what of a collection. */
export interface CollectionAccess extends RevisedAccess {
  /** Another one after every change of who may read what in the collection, be it of one document. */
  readonly stamp: number;
}

const FIND = 'SELECT access, revision, stamp FROM collection_access WHERE tenant = $1 AND collection = $2';

const SET_COLLECTION = `
  INSERT INTO collection_access AS known (tenant, collection, access, revision, stamp) VALUES ($1, $2, $3, $4, 1)
  ON CONFLICT (tenant, collection) DO UPDATE SET access = excluded.access, revision = excluded.revision, stamp = known.stamp + 1
  WHERE known.revision <= excluded.revision RETURNING stamp`;

const STAMP = `
  INSERT INTO collection_access AS known (tenant, collection, stamp) VALUES ($1, $2, 1)
  ON CONFLICT (tenant, collection) DO UPDATE SET stamp = known.stamp + 1`;

const SET_DOCUMENT = `
  UPDATE document_index SET access = $3, access_revision = $4
  WHERE tenant = $1 AND document_id = $2 AND access_revision <= $4 RETURNING document_id`;

const MAX_KNOWN = 10_000;

interface Known {
  readonly access: CollectionAccess | undefined;
}

const nameOf = ({ tenant, collection }: Scope): string => JSON.stringify([tenant, collection]);

/** Access lists as the rows have them. The rows decide; what stores and memory hold of them only makes searches faster. */
export class AccessRepository {
  readonly #known = new LRUCache<string, Known>({ max: MAX_KNOWN });
  /** Collections with a change whose commit nobody has told of yet: what their rows say now is not remembered. */
  readonly #unsettled = new Set<string>();
  #forgotten = 0;

  /** @param isOnlyCopy whether nobody else changes the rows, so that they need not be read for every search. */
  constructor(
    private readonly database: Database,
    private readonly isOnlyCopy: boolean,
  ) {}

  /** What is known of a collection; undefined while there never was a list in it. */
  async find(scope: Scope): Promise<CollectionAccess | undefined> {
    const name = nameOf(scope);
    const known = this.#known.get(name);
    if (known) return known.access;
    const forgotten = this.#forgotten;
    const { rows } = await this.database.query<CollectionAccess>(FIND, [scope.tenant, scope.collection]);
    const isOfNow = forgotten === this.#forgotten && !this.#unsettled.has(name);
    if (this.isOnlyCopy && isOfNow) this.#known.set(name, { access: rows[0] });
    return rows[0];
  }

  /** Whether the collection's own list admits somebody who has these principals. */
  async admits(scope: Scope, principals: readonly string[]): Promise<boolean> {
    return mayRead((await this.find(scope))?.access ?? null, principals);
  }

  /** Whoever sets a list calls {@link settled} after the commit. @returns false when a newer list is known. */
  async setCollection(scope: Scope, { access, revision }: RevisedAccess, sql: SqlRunner): Promise<boolean> {
    const { rowCount } = await sql.query(SET_COLLECTION, [scope.tenant, scope.collection, access, revision]);
    if (rowCount > 0) this.#unsettle(scope);
    return rowCount > 0;
  }

  /** As {@link setCollection}, for a document whose row is locked. */
  async setDocument(
    tx: SqlTransaction,
    document: DocumentKey & Scope,
    { access, revision }: RevisedAccess,
  ): Promise<boolean> {
    const { rowCount } = await tx.query(SET_DOCUMENT, [document.tenant, document.documentId, access, revision]);
    if (rowCount === 0) return false;
    this.#unsettle(document);
    tx.write(STAMP, [document.tenant, document.collection]);
    return true;
  }

  /**
   * Says that searches see a change from now on. What was found between its commit and now may be of before, so that it is
   * told from what is found later.
   */
  async settled(scope: Scope): Promise<void> {
    await this.database.query(STAMP, [scope.tenant, scope.collection]);
    this.#unsettled.delete(nameOf(scope));
    this.#forget(nameOf(scope));
  }

  /** Inside the transaction, so that nothing is remembered of before, whatever becomes of whoever commits. */
  #unsettle(scope: Scope): void {
    this.#unsettled.add(nameOf(scope));
    this.#forget(nameOf(scope));
  }

  #forget(name: string): void {
    this.#forgotten += 1;
    this.#known.delete(name);
  }
}
