import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { Database, type SqlRunner, type SqlTransaction } from '@ragmesh/postgres';
import { GenerationRows } from './generation-rows.js';
import type { Scope } from './vector-store.js';

const LIVE = 'SELECT generation FROM index_generation WHERE tenant = $1 AND collection = $2 AND live';

const SHOW = `
  INSERT INTO index_generation (tenant, collection, generation, live) VALUES ($1, $2, $3, true)
  ON CONFLICT (tenant, collection, generation) DO UPDATE SET live = true`;

const OPEN_FIRST = `
  INSERT INTO index_generation (tenant, collection, generation, live)
  SELECT $1, $2, 0, true WHERE NOT EXISTS (SELECT FROM index_generation WHERE tenant = $1 AND collection = $2 AND live)
  ON CONFLICT DO NOTHING`;

const REMOVE = 'DELETE FROM index_generation WHERE tenant = $1 AND collection = $2 AND generation = $3 AND NOT live';

const documentRows = new GenerationRows('generation_document', ['document_id', 'version'], 'document_id');
const pointRows = new GenerationRows('point', ['document_id', 'version', 'ordinal'], 'point_id');

const OPEN = `
  INSERT INTO index_generation (tenant, collection, generation, model) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`;

/** Does not stand in the way of a cut-over, which leaves the key as it is. */
const HOLD = `
  SELECT FROM index_generation WHERE tenant = $1 AND collection = $2 AND generation = $3 FOR KEY SHARE`;

/** By the order of the key, so that one row is read, and always the same one. */
const BUILT_WITH = `
  SELECT model FROM point WHERE tenant = $1 AND collection = $2 AND generation = $3
  ORDER BY tenant, collection, document_id, version, ordinal LIMIT 1`;

const IS_SEEN = `
  SELECT FROM document_index WHERE tenant = $1 AND collection = $2 AND visible_version IS NOT NULL LIMIT 1`;

const lockOf = ({ tenant, collection }: Scope): string => JSON.stringify(['live generation', tenant, collection]);

type FollowRemoval = (pointIds: readonly string[]) => Promise<void>;

/** Which generation of a collection's index readers see. */
@Injectable()
export class GenerationRepository {
  private readonly removals = new Map<string, Promise<void>>();

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

  /** Lets a generation come into being beside the one readers see, which has a row of its own from now on. */
  async open({ tenant, collection }: Scope, generation: number, model: string | null): Promise<void> {
    await this.database.transaction(async (tx) => {
      tx.write(OPEN_FIRST, [tenant, collection]);
      await tx.query(OPEN, [tenant, collection, generation, model]);
    });
  }

  /** The model named for a generation, `name@revision`; null for this installation's own. It never changes. */
  async model(
    { tenant, collection }: Scope,
    generation: number,
    runner: SqlRunner = this.database,
  ): Promise<string | null> {
    const sql = 'SELECT model FROM index_generation WHERE tenant = $1 AND collection = $2 AND generation = $3';
    return (await runner.query<{ model: string | null }>(sql, [tenant, collection, generation])).rows[0]?.model ?? null;
  }

  /** The model that made the vectors of a generation's points, `name@revision`; undefined while it has none. */
  async builtWith({ tenant, collection }: Scope, generation: number): Promise<string | undefined> {
    const { rows } = await this.database.query<{ model: string }>(BUILT_WITH, [tenant, collection, generation]);
    return rows[0]?.model;
  }

  /** Keeps a generation from being removed until the transaction ends. @returns false when there is none. */
  async hold(tx: SqlTransaction, { tenant, collection }: Scope, generation: number): Promise<boolean> {
    return (await tx.query(HOLD, [tenant, collection, generation])).rowCount > 0;
  }

  /** Until the transaction ends readers go on seeing the generation they see. */
  keepLive(tx: SqlTransaction, scope: Scope): void {
    tx.write('SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [lockOf(scope)]);
  }

  /** Until the transaction ends no version of a document of the collection becomes visible. */
  async keepVersions(tx: SqlTransaction, scope: Scope): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lockOf(scope)]);
  }

  /**
   * Readers see this generation from the commit on. One without points is shown only to readers who see no document of the
   * collection anyway; none becomes visible before the commit.
   * @param isEmpty whether it has no point.
   * @throws RagmeshError `REQUEST.INVALID` when readers would see documents no longer.
   */
  async show(tx: SqlTransaction, { tenant, collection }: Scope, generation: number, isEmpty: boolean): Promise<void> {
    await this.keepVersions(tx, { tenant, collection });
    if (isEmpty && (await tx.query(IS_SEEN, [tenant, collection])).rowCount > 0) {
      throw new RagmeshError('REQUEST.INVALID', 'The generation has no points: readers would find nothing.', {
        generation,
      });
    }
    const sql = 'UPDATE index_generation SET live = false WHERE tenant = $1 AND collection = $2 AND live';
    tx.write(sql, [tenant, collection]);
    tx.write(SHOW, [tenant, collection, generation]);
  }

  /**
   * Removes a generation that readers do not see, with its points, a page after the other; what was interrupted goes on when it
   * is asked for again. Whoever asks meanwhile waits for the same.
   * @param follow told of the points of each page that is gone; the next one goes after it.
   * @throws RagmeshError `REQUEST.INVALID` for the live one.
   */
  remove(scope: Scope, generation: number, follow: FollowRemoval = async () => {}): Promise<void> {
    const name = JSON.stringify([scope.tenant, scope.collection, generation]);
    const removal =
      this.removals.get(name) ??
      this.removeRows(scope, generation, follow).finally(() => void this.removals.delete(name));
    this.removals.set(name, removal);
    return removal;
  }

  private async removeRows(scope: Scope, generation: number, follow: FollowRemoval): Promise<void> {
    // Its row goes first: whoever holds it adds points yet, or shows it; whoever comes later finds it gone.
    await this.database.transaction(async (tx) => {
      tx.write(REMOVE, [scope.tenant, scope.collection, generation]);
      if ((await this.live(scope, tx)) === generation) {
        throw new RagmeshError('REQUEST.INVALID', 'Readers see this generation; show another one first.', {
          generation,
        });
      }
    });
    // What it has of documents before the points: nothing may ever take a rest of it for complete.
    for await (const _ of documentRows.removed(this.database, scope, generation));
    for await (const pointIds of pointRows.removed(this.database, scope, generation)) await follow(pointIds);
  }
}
