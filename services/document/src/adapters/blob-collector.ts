import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { Inject } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import { FolderBlobStore } from './blob-store.js';

const INTERVAL_MS = 5_000;

/** Removes blobs that nothing refers to any more. Uploads of the same bytes take the same lock, so none is lost. */
@Injectable()
export class BlobCollector implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly blobs: FolderBlobStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Blobs without a row were stored by a process that died before its commit. */
  async onApplicationBootstrap(): Promise<void> {
    await this.blobs.clearIncoming();
    for await (const { tenant, key } of this.blobs.list()) {
      await this.database.query('INSERT INTO blob_garbage (tenant, blob_key) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        tenant,
        key,
      ]);
    }
    this.#timer = setInterval(() => void (this.#running = this.#collectAll()), INTERVAL_MS).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Serialises all use of one blob until the transaction ends. */
  static async lock(tx: SqlTransaction, tenant: string, key: string): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${tenant}/${key}`]);
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

  /** Removes a blob unless a version refers to it. @returns whether it was there and is gone. */
  async collect(tenant: string, key: string): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      await BlobCollector.lock(tx, tenant, key);
      tx.write('DELETE FROM blob_garbage WHERE tenant = $1 AND blob_key = $2', [tenant, key]);
      const { rows } = await tx.query(
        `SELECT 1 WHERE EXISTS (SELECT FROM document_version WHERE tenant = $1 AND blob_key = $2)
           OR EXISTS (SELECT FROM document_version WHERE tenant = $1 AND text_blob_key = $2)`,
        [tenant, key],
      );
      return rows.length === 0 && this.blobs.remove(tenant, key);
    });
  }

  async #collectAll(): Promise<void> {
    try {
      const { rows } = await this.database.query<{ tenant: string; blob_key: string }>(
        'SELECT tenant, blob_key FROM blob_garbage LIMIT 1000',
      );
      for (const { tenant, blob_key: key } of rows) await this.collect(tenant, key);
    } catch (error) {
      this.logger.warn(
        { code: asRagmeshError(error).code },
        'Unused blobs could not be removed and will be tried again',
      );
    }
  }
}
