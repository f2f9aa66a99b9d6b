import { timestampNow } from '@bufbuild/protobuf/wkt';
import { Injectable } from '@nestjs/common';
import { catalogue, vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { GuardedClients, type GrpcClient } from '@ragmesh/grpc';
import { admittedByBoth, currentTenant, type AccessList } from '@ragmesh/observability';
import { Outbox, type OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { Bulkhead } from '@ragmesh/resilience';
import { DocumentRepository } from '../adapters/document.repository.js';
import type { DocumentRow } from '../adapters/document.rows.js';

type Publish = OutboxWriter['publish'];
type Listed = Pick<DocumentRow, 'id' | 'collection' | 'access' | 'access_revision'>;

type Work<T> = (tx: SqlTransaction, out: OutboxWriter) => Promise<T>;

const RESTRICT = { deadlineMs: 10_000 };

/** Only changes of one document by several processes at once need more than one. */
const MAX_TELLINGS = 4;

/** Of an attempt: the revisions the index was told of before it, by document, and the documents whose lists it wrote. */
interface Attempt {
  readonly told: ReadonlyMap<string, number>;
  readonly written: Set<string>;
}

/**
 * Changes who may read a document. What becomes narrower is narrower everywhere before the change is answered: the index hides
 * it first, then the row is committed. What becomes wider is so once the event has come to the index.
 *
 * The index is told between two transactions, so that one which does not answer holds neither a connection nor a lock. Before it
 * is told a revision is taken, which nobody else tells of; the change is kept only while the row is still of that revision.
 */
@Injectable()
export class ChangeDocumentAccess {
  readonly #attempts = new WeakMap<SqlTransaction, Attempt>();
  /** Changes of one document in turn: each would take the ground from under the others. */
  readonly #narrowing = new Bulkhead('Narrowing access lists', {
    ...{ concurrency: 64, queueLimit: 1_000, maxWaitMs: RESTRICT.deadlineMs },
    perLine: { concurrency: 1, queueLimit: 64 },
  });
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
      this.change(tx, publish, document, access);
    });
  }

  /**
   * A transaction that may {@link change} lists. Its work may be done several times: what it did is undone while the index is told.
   * When it fails, the index is told of the lists that still hold: it may hide more, also when the call that asked for it got no
   * answer.
   */
  async transaction<T>(work: Work<T>): Promise<T> {
    try {
      return await this.#attempt(work, new Map());
    } catch (error) {
      if (!(error instanceof Untold)) throw error;
      const line = JSON.stringify([currentTenant(), error.id]);
      return this.#narrowing.run(() => this.#tellFirst(error, work), undefined, line);
    }
  }

  /**
   * As {@link run}, for a document whose row is held by a {@link transaction}.
   * @throws RagmeshError that is for the transaction, when the index is to be told first.
   */
  change(tx: SqlTransaction, publish: Publish, document: Listed, access: AccessList): void {
    if (isSameList(document.access, access)) return;
    const revision = document.access_revision + 1;
    const attempt = this.#attempts.get(tx);
    if (narrows(document.access, access) && attempt?.told.get(document.id) !== revision)
      throw new Untold(document.id, access);
    this.#write(tx, publish, { ...document, access, access_revision: revision });
    attempt?.written.add(document.id);
  }

  async #tellFirst<T>(first: Untold, work: Work<T>): Promise<T> {
    const told = new Map<string, number>();
    try {
      for (let untold = first, left = MAX_TELLINGS - 1; ; left -= 1) {
        await this.#tell(untold, told);
        try {
          return await this.#attempt(work, told);
        } catch (error) {
          if (!(error instanceof Untold) || left === 0) throw error;
          untold = error;
        }
      }
    } finally {
      // Where even that fails, readers see less than they may until the next change.
      for (const id of told.keys()) await this.#restore(id).catch(() => undefined);
    }
  }

  /** Forgets what was told of the lists it wrote, as that holds now. */
  async #attempt<T>(work: Work<T>, told: Map<string, number>): Promise<T> {
    const written = new Set<string>();
    const result = await this.outbox.transaction((tx, out) => {
      this.#attempts.set(tx, { told, written });
      return work(tx, out);
    });
    for (const id of written) told.delete(id);
    return result;
  }

  /** Of a document that went meanwhile nobody is told: the work says what that means. */
  async #tell({ id, access }: Untold, told: Map<string, number>): Promise<void> {
    const document = await this.#takeRevision(id);
    if (!document) return;
    // Above the one that was taken: under that the list of before may still be told of, by a version that is sent.
    const revision = document.access_revision + 2;
    told.set(id, revision);
    const meanwhile = admittedByBoth(document.access, access);
    if (meanwhile !== null) await this.#restrict(document, meanwhile, revision);
  }

  /** @returns the row as it was before; undefined for a document that is not there. */
  #takeRevision(id: string): Promise<DocumentRow | undefined> {
    return this.outbox.transaction(async (tx) => {
      const document = await this.documents.findLocked(tx, currentTenant(), id);
      if (!document || document.status === 'deleted') return undefined;
      tx.write('UPDATE document SET access_revision = access_revision + 1 WHERE tenant = $1 AND id = $2', [
        ...[currentTenant(), id],
      ]);
      return document;
    });
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

function narrows(before: AccessList, after: AccessList): boolean {
  const meanwhile = admittedByBoth(before, after);
  return meanwhile !== null && !isSameList(meanwhile, before);
}

/** A list that is to become narrower, and of which the index was not told: it leaves the transaction, so that this holds nothing. */
class Untold extends RagmeshError {
  constructor(
    readonly id: string,
    readonly access: AccessList,
  ) {
    super('DEPENDENCY.UNAVAILABLE', `The access list of document "${id}" is being changed by others, too.`, { id });
  }
}
