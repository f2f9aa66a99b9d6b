import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { Inject } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import { PeriodicTask } from '@ragmesh/resilience';
import { BlobStore, LONGEST_UPLOAD_MS } from './blob-store.js';
import { blobRemovalAllowed } from './removal-hold.js';

const INTERVAL_MS = 5_000;
const PAGE = 500;

const UNREFERENCED = `
  INSERT INTO blob_garbage (tenant, blob_key)
  SELECT tenant, key FROM unnest($1::text[], $2::text[]) AS stored (tenant, key)
  WHERE NOT EXISTS (SELECT FROM document_version v WHERE v.tenant = stored.tenant AND v.blob_key = stored.key)
    AND NOT EXISTS (SELECT FROM document_version v WHERE v.tenant = stored.tenant AND v.text_blob_key = stored.key)
  ON CONFLICT DO NOTHING`;

const GARBAGE_PAGE = 1_000;
const GARBAGE = `
  SELECT tenant, blob_key AS key FROM blob_garbage WHERE (tenant, blob_key) > ($1, $2)
  ORDER BY tenant, blob_key LIMIT ${GARBAGE_PAGE}`;

/** In a row: it is the store or the database, not these blobs. */
const MOST_FAILURES = 5;

interface StoredBlob {
  readonly tenant: string;
  readonly key: string;
}
const NOWHERE: StoredBlob = { tenant: '', key: '' };

/** Removes blobs that nothing refers to any more. Uploads of the same bytes take the same lock, so none is lost. */
@Injectable()
export class BlobCollector implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #rounds = new PeriodicTask((signal) => this.#collectAll(signal), INTERVAL_MS);
  #looked = false;
  /** The last one of garbage that was tried; the next round goes on behind it, and begins anew at the end. */
  #reached: StoredBlob = NOWHERE;
  /** When unfinished uploads are looked for next. */
  #clearsNext = 0;
  #warnedOfUnfinished = false;

  constructor(
    private readonly database: Database,
    private readonly blobs: BlobStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.blobs.clearIncoming();
    this.#rounds.start(0);
  }

  async onModuleDestroy(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Serialises all use of one blob until the transaction ends; of several keys, the first is locked first. */
  static async lock(tx: SqlTransaction, tenant: string, ...keys: readonly string[]): Promise<void> {
    const names = keys.map((key) => BlobCollector.lockOf(tenant, key));
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest($1::text[]) AS name', [names]);
  }

  /** Name of the lock of one blob. */
  static lockOf(tenant: string, key: string): string {
    return `${tenant}/${key}`;
  }

  /** Marks blobs of versions that are about to be deleted. */
  static release(tx: SqlTransaction, tenant: string, documentId: string, below: number | bigint): void {
    tx.write(
      `INSERT INTO blob_garbage (tenant, blob_key)
       SELECT DISTINCT tenant, key FROM document_version, unnest(ARRAY[blob_key, text_blob_key]) AS key
       WHERE tenant = $1 AND document_id = $2 AND version < $3 AND key <> '' ON CONFLICT DO NOTHING`,
      [tenant, documentId, below],
    );
  }

  /** Removes a blob unless a version refers to it; during a backup it is only listed. @returns whether it was there and is gone. */
  async collect(tenant: string, key: string): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      await BlobCollector.lock(tx, tenant, key);
      if (!(await tx.query<{ allowed: boolean }>(blobRemovalAllowed)).rows[0]!.allowed) {
        tx.write('INSERT INTO blob_garbage (tenant, blob_key) VALUES ($1, $2) ON CONFLICT DO NOTHING', [tenant, key]);
        return false;
      }
      tx.write('DELETE FROM blob_garbage WHERE tenant = $1 AND blob_key = $2', [tenant, key]);
      const { rows } = await tx.query(
        `SELECT 1 WHERE EXISTS (SELECT FROM document_version WHERE tenant = $1 AND blob_key = $2)
           OR EXISTS (SELECT FROM document_version WHERE tenant = $1 AND text_blob_key = $2)`,
        [tenant, key],
      );
      return rows.length === 0 && this.blobs.remove(tenant, key);
    });
  }

  async #collectAll(signal: AbortSignal): Promise<void> {
    try {
      if (!this.#looked) await this.#findUnreferenced(signal);
      if (Date.now() >= this.#clearsNext) await this.#clearUnfinished(signal);
      await this.#collectEach([...this.blobs.abandoned], signal);
      const { tenant, key } = this.#reached;
      const { rows } = await this.database.query<StoredBlob>(GARBAGE, [tenant, key]);
      const tried = await this.#collectEach(rows, signal);
      const isEnd = tried === rows.length && rows.length < GARBAGE_PAGE;
      this.#reached = isEnd ? NOWHERE : (rows[tried - 1] ?? NOWHERE);
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    const { code } = asRagmeshError(error);
    this.logger.warn({ code }, 'Unused blobs could not be removed and will be tried again');
  }

  /** One that cannot be removed keeps no others. @returns how many were tried. */
  async #collectEach(blobs: Iterable<StoredBlob>, signal: AbortSignal): Promise<number> {
    let [tried, failures] = [0, 0];
    let failure: { readonly error: unknown } | undefined;
    for (const blob of blobs) {
      if (signal.aborted || failures === MOST_FAILURES) break;
      tried += 1;
      try {
        await this.collect(blob.tenant, blob.key);
        this.blobs.abandoned.delete(blob);
        failures = 0;
      } catch (error) {
        failure = { error };
        failures += 1;
        if (this.blobs.abandoned.delete(blob)) this.blobs.abandoned.add(blob); // behind those that were not tried
      }
    }
    if (failure) this.#warn(failure.error);
    return tried;
  }

  /** Blobs without a row were stored by a process that died before its commit; a running upload holds the lock of its blob. */
  async #findUnreferenced(signal: AbortSignal): Promise<void> {
    let page: { tenant: string; key: string }[] = [];
    const note = async (): Promise<void> => {
      const columns = [page.map(({ tenant }) => tenant), page.map(({ key }) => key)];
      page = [];
      await this.database.query(UNREFERENCED, columns);
    };
    for await (const blob of this.blobs.list()) {
      if (signal.aborted) return;
      if (page.push(blob) === PAGE) await note();
    }
    await note();
    this.#looked = true;
  }

  /** Again and again: what was left shortly before this process started is not old enough to be told from a running upload. */
  async #clearUnfinished(signal: AbortSignal): Promise<void> {
    this.#clearsNext = Date.now() + LONGEST_UPLOAD_MS;
    try {
      await this.blobs.clearUnfinished(signal);
    } catch (error) {
      if (this.#warnedOfUnfinished) return; // the key may lack the right, which nothing else needs
      this.#warnedOfUnfinished = true;
      const { code } = asRagmeshError(error);
      this.logger.warn({ code }, 'Parts of interrupted uploads could not be removed from the bucket');
    }
  }
}
