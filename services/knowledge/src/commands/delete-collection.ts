import { Injectable } from '@nestjs/common';
import { documentV1 } from '@ragmesh/contracts';
import { isRagmeshError } from '@ragmesh/errors';
import { GrpcClients } from '@ragmesh/grpc';
import { currentTenant } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { CollectionRepository } from '../adapters/collection.repository.js';
import { ChangeCollectionAccess } from './change-collection-access.js';
import { publishAccess } from './publish-access.js';

const SEAL = { deadlineMs: 10_000 };

/**
 * Removes a collection and tells others that its list is gone, so that one made again under its id begins open everywhere.
 * The document service knows what was uploaded to it and has not begun: before the commit it says that there is nothing, and
 * takes no uploads to it until it hears of the deletion, or that there was none.
 */
@Injectable()
export class DeleteCollection {
  constructor(
    private readonly outbox: Outbox,
    private readonly collections: CollectionRepository,
    private readonly changing: ChangeCollectionAccess,
    private readonly clients: GrpcClients,
  ) {}

  /**
   * @throws RagmeshError COLLECTION.NOT_FOUND, COLLECTION.NOT_EMPTY while it holds documents, ready or not, begun or not;
   *   DEPENDENCY.UNAVAILABLE when the document service cannot be asked: then nothing changes.
   */
  async run(id: string): Promise<void> {
    let isSealed = false;
    let deleted = 0;
    try {
      await this.outbox.transaction(async (tx, { publish }) => {
        const list = await this.collections.delete(tx, currentTenant(), id);
        deleted = list.access_revision;
        isSealed = true;
        // Of a lower revision than the deletion, the word of which ends it.
        await this.#seal(id, deleted - 1, true);
        publishAccess(publish, id, list);
      });
    } catch (error) {
      const holdsSome = isRagmeshError(error) && error.code === 'COLLECTION.NOT_EMPTY';
      if (isSealed && !holdsSome) await this.changing.restore(id).catch(() => undefined); // no uploads until the next change
      throw error;
    }
    await this.#seal(id, deleted, false).catch(() => undefined); // the event says so, too, a little later
  }

  async #seal(collection: string, revision: number, sealed: boolean): Promise<void> {
    const request = { collection, revision: BigInt(revision), sealed };
    await this.clients.of(documentV1.DocumentService).sealCollection(request, SEAL);
  }
}
