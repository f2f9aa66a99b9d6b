import { Injectable } from '@nestjs/common';
import { documentV1, vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { GuardedClients, type GrpcClient } from '@ragmesh/grpc';
import { admittedByBoth, asService, currentTenant, type AccessList } from '@ragmesh/observability';
import { Outbox, type OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { Bulkhead } from '@ragmesh/resilience';
import { CollectionRepository, revisionAnew, type RevisedAccess } from '../adapters/collection.repository.js';
import { publishAccess } from './publish-access.js';

const RESTRICT = { deadlineMs: 10_000 };

/** Only changes of one collection by several processes at once need more than one. */
const MAX_TELLINGS = 4;

/**
 * Changes who may read a collection and what is in it. What becomes narrower is narrower everywhere before the change is
 * answered: index and documents hide it first, then the row is committed. Only searches that cannot ask the index meanwhile are
 * given what was kept of a collection without a list until the event has come. What becomes wider is so once it has come.
 *
 * Others are told between two transactions, so that one who does not answer holds neither a connection nor a lock. Before they
 * are told a revision is taken, which nobody else tells of; the change is kept only while the row is still of that revision.
 */
@Injectable()
export class ChangeCollectionAccess {
  /** Changes of one collection in turn: each would take the ground from under the others. */
  readonly #narrowing = new Bulkhead('Narrowing access lists', {
    ...{ concurrency: 64, queueLimit: 1_000, maxWaitMs: RESTRICT.deadlineMs },
    perLine: { concurrency: 1, queueLimit: 64 },
  });
  readonly #vector: GrpcClient<typeof vectorV1.VectorService>;
  readonly #documents: GrpcClient<typeof documentV1.DocumentService>;

  constructor(
    private readonly outbox: Outbox,
    private readonly collections: CollectionRepository,
    clients: GuardedClients,
  ) {
    this.#vector = clients.of(vectorV1.VectorService);
    this.#documents = clients.of(documentV1.DocumentService);
  }

  /** @throws RagmeshError COLLECTION.NOT_FOUND, DEPENDENCY.UNAVAILABLE when others cannot be told: then nothing changes. */
  async run(id: string, access: AccessList): Promise<void> {
    if (await this.#change(id, access)) return;
    await this.#narrowing.run(() => this.#narrow(id, access), undefined, JSON.stringify([currentTenant(), id]));
  }

  /** @param told the revision others were told of. @returns false when they must be told first: nothing changes. */
  #change(id: string, access: AccessList, told?: number): Promise<boolean> {
    return this.outbox.transaction(async (tx, { publish }) => {
      const before = await this.collections.lockAccess(tx, currentTenant(), id);
      const revision = before.access_revision + 1;
      if (narrows(before.access, access) && told !== revision) return false;
      this.#write(tx, publish, id, { access, access_revision: revision });
      return true;
    });
  }

  async #narrow(id: string, access: AccessList): Promise<void> {
    try {
      for (let left = MAX_TELLINGS; left > 0; left -= 1) {
        const told = await this.#tell(id, access);
        if (await this.#change(id, access, told)) return;
      }
      const message = `The access list of collection "${id}" is being changed by others, too.`;
      throw new RagmeshError('DEPENDENCY.UNAVAILABLE', message, { id });
    } catch (error) {
      await this.restore(id).catch(() => undefined); // readers see less than they may until the next change
      throw error;
    }
  }

  /** @returns the revision others were told of, which is above any that was told of before. */
  async #tell(id: string, access: AccessList): Promise<number> {
    const taken = await this.outbox.transaction(async (tx) => {
      const before = await this.collections.lockAccess(tx, currentTenant(), id);
      const next = { access: before.access, access_revision: before.access_revision + 1 };
      this.collections.setAccess(tx, currentTenant(), id, next);
      return next;
    });
    const revision = taken.access_revision + 1;
    const meanwhile = admittedByBoth(taken.access, access);
    if (meanwhile !== null) await this.#restrict(id, meanwhile, revision);
    return revision;
  }

  /**
   * Tells others of what still holds after a change that failed, as a revision of its own, also when the caller may not read it
   * by now.
   */
  async restore(id: string): Promise<void> {
    await this.outbox.transaction(async (tx, { publish }) => {
      const list = await asService(() => this.collections.lockAccess(tx, currentTenant(), id));
      const revision = revisionAnew(list.access_revision);
      this.#write(tx, publish, id, { access: list.access, access_revision: revision });
    });
  }

  /** Fails only once all have answered, so that what comes after a failure does not race with what is still under way. */
  async #restrict(collection: string, principals: readonly string[], revision: number): Promise<void> {
    const request = { collection, principals: [...principals], revision: BigInt(revision) };
    const outcomes = await Promise.allSettled([
      this.#vector.restrictAccess(request, RESTRICT),
      this.#documents.restrictCollection(request, RESTRICT),
    ]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  #write(tx: SqlTransaction, publish: OutboxWriter['publish'], collection: string, list: RevisedAccess): void {
    this.collections.setAccess(tx, currentTenant(), collection, list);
    publishAccess(publish, collection, list);
  }
}

function narrows(before: AccessList, after: AccessList): boolean {
  const meanwhile = admittedByBoth(before, after);
  return meanwhile !== null && meanwhile.length !== before?.length;
}
