import { Injectable } from '@nestjs/common';
import { currentTenant } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { CollectionRepository } from '../adapters/collection.repository.js';
import { publishAccess } from './publish-access.js';

/** Removes a collection and tells others that its list is gone, so that one made again under its id begins open everywhere. */
@Injectable()
export class DeleteCollection {
  constructor(
    private readonly outbox: Outbox,
    private readonly collections: CollectionRepository,
  ) {}

  /** @throws RagmeshError COLLECTION.NOT_FOUND, or COLLECTION.NOT_EMPTY while it holds documents, ready or not. */
  async run(id: string): Promise<void> {
    await this.outbox.transaction(async (tx, { publish }) => {
      publishAccess(publish, id, await this.collections.delete(tx, currentTenant(), id));
    });
  }
}
