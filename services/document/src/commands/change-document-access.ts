import { timestampNow } from '@bufbuild/protobuf/wkt';
import { Injectable } from '@nestjs/common';
import { catalogue, vectorV1 } from '@ragmesh/contracts';
import { GuardedClients, type GrpcClient } from '@ragmesh/grpc';
import { admittedByBoth, currentTenant, type AccessList } from '@ragmesh/observability';
import { Outbox, type OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { DocumentRepository } from '../adapters/document.repository.js';
import type { DocumentRow } from '../adapters/document.rows.js';

type Publish = OutboxWriter['publish'];
type Listed = Pick<DocumentRow, 'id' | 'collection' | 'access' | 'access_revision'>;

const RESTRICT = { deadlineMs: 10_000 };

/**
 * Changes who may read a document. What becomes narrower is narrower everywhere before the change is answered: the index hides
 * it first, then the row is committed. What becomes wider is so once the event has come to the index.
 */
@Injectable()
export class ChangeDocumentAccess {
  /** Documents the index was told to hide from somebody, of each transaction. */
  readonly #narrowed = new WeakMap<SqlTransaction, Set<string>>();
  readonly #vector: GrpcClient<typeof vectorV1.VectorService>;

  constructor(
    private readonly outbox: Outbox,
    private readonly documents: DocumentRepository,
    clients: GuardedClients,
  ) {
    this.#vector = clients.of(vectorV1.VectorService);
  }

  /** @throws RagmeshError DOCUMENT.NOT_FOUND, DEPENDENCY.UNAVAILABLE when the index cannot be told: then nothing changes. */
  async run(id: string, access: AccessList): Promise<void> {
    await this.transaction(async (tx, { publish }) => {
      const document = await this.documents.lock(tx, currentTenant(), id);
      await this.change(tx, publish, document, access);
    });
  }

  /**
   * A transaction that may {@link change} lists. When it fails, the index is told of the lists that still hold: it may hide more,
   * also when the call that asked for it got no answer.
   */
  async transaction<T>(work: (tx: SqlTransaction, out: OutboxWriter) => Promise<T>): Promise<T> {
    const narrowed = new Set<string>();
    try {
      return await this.outbox.transaction((tx, out) => {
        this.#narrowed.set(tx, narrowed);
        return work(tx, out);
      });
    } catch (error) {
      // Where even that fails, readers see less than they may until the next change.
      for (const id of narrowed) await this.#restore(id).catch(() => undefined);
      throw error;
    }
  }

  /** As {@link run}, for a document whose row is held by a {@link transaction}. */
  async change(tx: SqlTransaction, publish: Publish, document: Listed, access: AccessList): Promise<void> {
    if (isSameList(document.access, access)) return;
    const revision = document.access_revision + 1;
    const meanwhile = admittedByBoth(document.access, access);
    if (meanwhile !== null && !isSameList(meanwhile, document.access)) {
      this.#narrowed.get(tx)?.add(document.id);
      await this.#restrict(document, meanwhile, revision);
    }
    this.#write(tx, publish, { ...document, access, access_revision: revision });
  }

  /**
   * Tells the index of what still holds, as a revision of its own: a later change must not be taken for it. It is above that
   * of the change that failed, which may still come to the index after this.
   */
  async #restore(id: string): Promise<void> {
    await this.outbox.transaction(async (tx, { publish }) => {
      const document = await this.documents.lock(tx, currentTenant(), id);
      this.#write(tx, publish, { ...document, access_revision: document.access_revision + 2 });
    });
  }

  async #restrict({ id, collection }: Listed, principals: readonly string[], revision: number): Promise<void> {
    const request = { collection, documentId: id, principals: [...principals], revision: BigInt(revision) };
    await this.#vector.restrictAccess(request, RESTRICT);
  }

  /** The same bytes with another list are another document, so this one no longer stands for them. */
  #write(tx: SqlTransaction, publish: Publish, { id, collection, access, access_revision: revision }: Listed): void {
    tx.write(
      `UPDATE document SET access = $3, access_revision = $4,
         dedup_key = CASE WHEN access IS NOT DISTINCT FROM $3 THEN dedup_key END, updated_at = now()
       WHERE tenant = $1 AND id = $2`,
      [currentTenant(), id, access, revision],
    );
    publish(catalogue.accessChanged, id, {
      collection,
      documentId: id,
      access: { restricted: access !== null, principals: [...(access ?? [])], revision: BigInt(revision) },
      changedAt: timestampNow(),
    });
  }
}

/** Whether two lists name the same readers, in whichever order. */
export const isSameList = (one: AccessList, other: AccessList): boolean =>
  JSON.stringify(one?.toSorted() ?? null) === JSON.stringify(other?.toSorted() ?? null);
