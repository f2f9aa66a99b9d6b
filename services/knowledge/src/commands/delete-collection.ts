import { Injectable } from '@nestjs/common';
import { documentV1 } from '@ragmesh/contracts';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { GuardedClients, type GrpcClient } from '@ragmesh/grpc';
import { currentTenant } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { CollectionRepository, type RevisedAccess } from '../adapters/collection.repository.js';
import { ChangeCollectionAccess } from './change-collection-access.js';
import { publishAccess } from './publish-access.js';

const SEAL = { deadlineMs: 10_000 };

/** The document service keeps a seal for 60 s, and a transaction that has its lock may take 35 more to commit. */
const SEAL_HOLDS_MS = 20_000;

/**
 * Removes a collection and tells others that its list is gone, so that one made again under its id begins open everywhere.
 * The document service knows what was uploaded to it and has not begun: before the transaction it says that there is nothing,
 * and takes no uploads to it until it hears of the deletion, or that there was none, or a minute has passed.
 */
@Injectable()
export class DeleteCollection {
  readonly #documents: GrpcClient<typeof documentV1.DocumentService>;

  constructor(
    private readonly outbox: Outbox,
    private readonly collections: CollectionRepository,
    private readonly changing: ChangeCollectionAccess,
    clients: GuardedClients,
  ) {
    this.#documents = clients.of(documentV1.DocumentService);
  }

  /**
   * @throws RagmeshError COLLECTION.NOT_FOUND, COLLECTION.NOT_EMPTY while it holds documents, ready or not, begun or not;
   *   DEPENDENCY.UNAVAILABLE when the document service cannot be asked, or the list was changed meanwhile: then nothing changes.
   */
  async run(id: string): Promise<void> {
    const list = await this.collections.listOnceDeleted(currentTenant(), id);
    const until = performance.now() + SEAL_HOLDS_MS;
    let isSealed = false;
    try {
      // Of a lower revision than the deletion, the word of which ends it. Nothing is locked, and no connection held, meanwhile.
      await this.#seal(id, list.access_revision - 1, true);
      isSealed = true;
      await this.#delete(id, list, until);
    } catch (error) {
      const holdsSome = !isSealed && isRagmeshError(error) && error.code === 'COLLECTION.NOT_EMPTY';
      if (!holdsSome) await this.changing.restore(id).catch(() => undefined); // no uploads until the seal ends
      throw error;
    }
    await this.#seal(id, list.access_revision, false).catch(() => undefined); // the event says so, too, a little later
  }

  /** Under a seal that holds: a list that was changed after it was asked for has ended it, and time may have. */
  async #delete(id: string, expected: RevisedAccess, until: number): Promise<void> {
    await this.outbox.transaction(async (tx, { publish }) => {
      const list = await this.collections.delete(tx, currentTenant(), id);
      if (list.access_revision !== expected.access_revision || performance.now() > until)
        throw new RagmeshError('DEPENDENCY.UNAVAILABLE', 'Uploads may have come in meanwhile; nothing was deleted.');
      publishAccess(publish, id, list);
    });
  }

  async #seal(collection: string, revision: number, sealed: boolean): Promise<void> {
    const request = { collection, revision: BigInt(revision), sealed };
    await this.#documents.sealCollection(request, SEAL);
  }
}
