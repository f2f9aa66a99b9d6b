import { Injectable } from '@nestjs/common';
import {
  Database,
  type ListPosition,
  type ListedPlace,
  type SqlTransaction,
  boundedPage,
  microsOf,
} from '@ragmesh/postgres';
import { RagmeshError } from '@ragmesh/errors';
import { currentPrincipals, mayRead, readsEverything, type AccessList } from '@ragmesh/observability';
import { defaultCollection } from '../domain/collection-id.js';
import type { CollectionSettings } from '../domain/collection-settings.js';

/** A collection with what is ready in it. */
export interface CollectionRow {
  readonly id: string;
  readonly title: string;
  readonly metadata: Record<string, unknown>;
  readonly settings: CollectionSettings;
  readonly created_at: Date;
  readonly documents: number;
  readonly chunks: number;
  /** Who may read it and what is in it. */
  readonly access: AccessList;
}

/** A collection with its place in a list, to the microsecond. */
export type ListedCollection = CollectionRow & ListedPlace;

/** A list, and which of two is the newer. */
export interface RevisedAccess {
  readonly access: AccessList;
  readonly access_revision: number;
}

/** What is left out stays as it is. */
export interface CollectionChange {
  readonly title?: string | undefined;
  readonly metadata?: Record<string, unknown> | undefined;
  /** Each setting that is named is replaced as a whole; null removes it. */
  readonly settings?: { readonly [name in keyof CollectionSettings]?: CollectionSettings[name] | null };
}

const SELECT = `
  SELECT id, title, metadata, settings, access, created_at, ${microsOf('created_at')} AS created_micros,
         held.documents, held.chunks
  FROM collection CROSS JOIN LATERAL (
    SELECT count(*) AS documents, coalesce(sum(chunks), 0)::bigint AS chunks
    FROM catalogue_entry entry
    WHERE entry.tenant = collection.tenant AND entry.collection = collection.id AND entry.state = 'ready') held`;

const EXISTS = 'SELECT FROM collection WHERE tenant = $1 AND id = $2';

const MAKE = `
  INSERT INTO collection (tenant, id, title, metadata) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`;

const TAKE_REVISION = `
  WITH kept AS (DELETE FROM deleted_collection WHERE tenant = $1 AND id = $2 RETURNING access_revision)
  UPDATE collection SET access_revision = kept.access_revision FROM kept WHERE tenant = $1 AND id = $2`;

const KEEP_REVISION = `
  INSERT INTO deleted_collection AS kept (tenant, id, access_revision) VALUES ($1, $2, $3)
  ON CONFLICT (tenant, id) DO UPDATE SET access_revision = greatest(kept.access_revision, excluded.access_revision)`;

/**
 * The revision under which others are told anew of what holds, when they may have been told something else: above that of a
 * change that failed, which may still come to them after this.
 */
export const revisionAnew = (revision: number): number => revision + 2;

/** Collections of one tenant at a time. What the caller may not read counts as missing. */
@Injectable()
export class CollectionRepository {
  constructor(private readonly database: Database) {}

  /** @throws RagmeshError COLLECTION.ID_TAKEN. */
  async create(tenant: string, id: string, title: string, metadata: unknown): Promise<void> {
    const isMade = await this.database.transaction((tx) => this.#make(tx, tenant, id, title, metadata));
    if (!isMade) throw new RagmeshError('COLLECTION.ID_TAKEN', `There is a collection "${id}" already.`, { id });
  }

  /** Makes sure that there is such a row; its title and metadata stay as they are. */
  async ensure(tenant: string, id: string, transaction?: SqlTransaction): Promise<void> {
    if ((await (transaction ?? this.database).query(EXISTS, [tenant, id])).rowCount > 0) return;
    const title = id === defaultCollection.id ? defaultCollection.title : id;
    const make = (tx: SqlTransaction): Promise<boolean> => this.#make(tx, tenant, id, title);
    await (transaction ? make(transaction) : this.database.transaction(make));
  }

  /**
   * Makes a row that goes on from the revision of the one that was deleted. That is looked for once the row is there: a
   * deletion that runs meanwhile has then ended. @returns false when there is such a collection.
   */
  async #make(tx: SqlTransaction, tenant: string, id: string, title: string, metadata?: unknown): Promise<boolean> {
    const { rowCount } = await tx.query(MAKE, [tenant, id, title, JSON.stringify(metadata ?? {})]);
    if (rowCount === 0) return false;
    tx.write(TAKE_REVISION, [tenant, id]);
    return true;
  }

  /** Makes sure that there is such a row and that nobody deletes it before `tx` ends. */
  async hold(tx: SqlTransaction, tenant: string, id: string): Promise<void> {
    const lock = 'SELECT FROM collection WHERE tenant = $1 AND id = $2 FOR KEY SHARE';
    while ((await tx.query(lock, [tenant, id])).rowCount === 0) await this.ensure(tenant, id, tx);
  }

  /** @throws RagmeshError COLLECTION.NOT_FOUND. */
  async get(tenant: string, id: string): Promise<CollectionRow> {
    if (id === defaultCollection.id) await this.ensure(tenant, id);
    const { rows } = await this.database.query<CollectionRow>(`${SELECT} WHERE tenant = $1 AND id = $2`, [tenant, id]);
    if (!rows[0] || !mayRead(rows[0].access, currentPrincipals())) throw notFound(id);
    return rows[0];
  }

  /** Changes what is named and leaves the rest. @throws RagmeshError COLLECTION.NOT_FOUND. */
  async update(tenant: string, id: string, change: CollectionChange): Promise<void> {
    if (id === defaultCollection.id) await this.ensure(tenant, id);
    const { title = null, metadata, settings = {} } = change;
    const { rowCount } = await this.database.query(
      `UPDATE collection SET title = coalesce($3, title), metadata = coalesce($4::jsonb, metadata),
         settings = jsonb_strip_nulls(settings || $5::jsonb) WHERE tenant = $1 AND id = $2 RETURNING id`,
      [tenant, id, title, metadata === undefined ? null : JSON.stringify(metadata), JSON.stringify(settings)],
    );
    if (rowCount === 0) throw notFound(id);
  }

  /** The list of a collection, whose row stays locked until the transaction ends. @throws RagmeshError COLLECTION.NOT_FOUND. */
  async lockAccess(tx: SqlTransaction, tenant: string, id: string): Promise<RevisedAccess> {
    if (id === defaultCollection.id) await this.hold(tx, tenant, id);
    const { rows } = await tx.query<RevisedAccess>(
      'SELECT access, access_revision FROM collection WHERE tenant = $1 AND id = $2 FOR NO KEY UPDATE',
      [tenant, id],
    );
    if (!rows[0] || !mayRead(rows[0].access, currentPrincipals())) throw notFound(id);
    return rows[0];
  }

  setAccess(
    tx: SqlTransaction,
    tenant: string,
    id: string,
    { access, access_revision: revision }: RevisedAccess,
  ): void {
    tx.write('UPDATE collection SET access = $3, access_revision = $4 WHERE tenant = $1 AND id = $2', [
      ...[tenant, id, access, revision],
    ]);
  }

  /** Newest first, from the one after `position`; fewer than `limit` where they would not fit into a message. */
  async list(tenant: string, limit: number, position?: ListPosition): Promise<ListedCollection[]> {
    await this.ensure(tenant, defaultCollection.id);
    const principals = currentPrincipals();
    const { rows } = await this.database.query<ListedCollection>(
      boundedPage(`${SELECT} WHERE tenant = $1 AND ($5::text[] IS NULL OR access IS NULL OR access && $5)
         AND ($3::bigint IS NULL OR (created_at, id) < (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4::text))
       ORDER BY collection.created_at DESC, collection.id DESC LIMIT $2`),
      [
        tenant,
        limit,
        position?.createdMicros ?? null,
        position?.id ?? null,
        readsEverything(principals) ? null : principals,
      ],
    );
    return rows;
  }

  /**
   * Keeps the revision for a collection made again under this id. @returns what {@link listOnceDeleted} does.
   * @throws RagmeshError COLLECTION.NOT_FOUND, or COLLECTION.NOT_EMPTY while it holds documents, ready or not.
   */
  async delete(tx: SqlTransaction, tenant: string, id: string): Promise<RevisedAccess> {
    const list = await this.listOnceDeleted(tenant, id, tx);
    tx.write(KEEP_REVISION, [tenant, id, list.access_revision]);
    tx.write('DELETE FROM collection WHERE tenant = $1 AND id = $2', [tenant, id]);
    return list;
  }

  /**
   * The list that others are to be told of when it is deleted: none. In a transaction its row stays locked until that ends.
   * @throws RagmeshError COLLECTION.NOT_FOUND, or COLLECTION.NOT_EMPTY while it holds documents, ready or not.
   */
  async listOnceDeleted(tenant: string, id: string, transaction?: SqlTransaction): Promise<RevisedAccess> {
    const sql = transaction ?? this.database;
    const find = `SELECT access_revision FROM collection WHERE tenant = $1 AND id = $2 ${transaction ? 'FOR UPDATE' : ''}`;
    const { rows: found } = await sql.query<Pick<RevisedAccess, 'access_revision'>>(find, [tenant, id]);
    if (!found[0]) throw notFound(id);
    const { rows } = await sql.query<{ documents: number }>(
      `SELECT count(*)::int AS documents FROM catalogue_entry WHERE tenant = $1 AND collection = $2 AND state <> 'deleted'`,
      [tenant, id],
    );
    const documents = rows[0]?.documents ?? 0;
    if (documents > 0) {
      throw new RagmeshError(
        'COLLECTION.NOT_EMPTY',
        `The collection "${id}" holds ${documents === 1 ? 'a document' : `${documents} documents`}.`,
        {
          id,
          documents,
        },
      );
    }
    return { access: null, access_revision: revisionAnew(found[0].access_revision) };
  }
}

const notFound = (id: string): RagmeshError =>
  new RagmeshError('COLLECTION.NOT_FOUND', `There is no collection "${id}".`, { id });
