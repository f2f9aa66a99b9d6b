import { timestampNow } from '@bufbuild/protobuf/wkt';
import { catalogue } from '@ragmesh/contracts';
import type { OutboxWriter } from '@ragmesh/outbox';
import type { RevisedAccess } from '../adapters/collection.repository.js';

/** Tells those who keep lists of collections which one holds. */
export function publishAccess(publish: OutboxWriter['publish'], collection: string, list: RevisedAccess): void {
  const { access, access_revision: revision } = list;
  publish(catalogue.accessChanged, collection, {
    collection,
    documentId: '',
    access: { restricted: access !== null, principals: [...(access ?? [])], revision: BigInt(revision) },
    changedAt: timestampNow(),
  });
}
