import { Injectable } from '@nestjs/common';
import { documentV1, vectorV1 } from '@ragmesh/contracts';
import { GuardedClients, type GrpcClient } from '@ragmesh/grpc';
import { admittedByBoth, asService, currentTenant, type AccessList } from '@ragmesh/observability';
import { Outbox, type OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { CollectionRepository, revisionAnew, type RevisedAccess } from '../adapters/collection.repository.js';
import { publishAccess } from './publish-access.js';

const RESTRICT = { deadlineMs: 10_000 };

/**
 * Changes who may read a collection and what is in it. What becomes narrower is narrower everywhere before the change is
 * answered: index and documents hide it first, then the row is committed. Only searches that cannot ask the index meanwhile are
 * given what was kept of a collection without a list until the event has come. What becomes wider is so once it has come.
 */
@Injectable()
export class ChangeCollectionAccess {
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
    let hidden = false;
    try {
      await this.outbox.transaction(async (tx, { publish }) => {
        const before = await this.collections.lockAccess(tx, currentTenant(), id);
        const revision = before.access_revision + 1;
        const meanwhile = admittedByBoth(before.access, access);
        if (meanwhile !== null && meanwhile.length !== before.access?.length) {
          hidden = true;
          await this.#restrict(id, meanwhile, revision);
        }
        this.#write(tx, publish, id, { access, access_revision: revision });
      });
    } catch (error) {
      if (hidden) await this.restore(id).catch(() => undefined); // readers see less than they may until the next change
      throw error;
    }
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
