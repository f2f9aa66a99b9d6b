import { catalogue } from '@ragmesh/contracts';
import { sagaMessage, type SagaDefinition } from '@ragmesh/saga';

export interface Deletion {
  readonly tenant: string;
  readonly documentId: string;
  /** Newest version when the deletion was asked for: everything up to it is dead. */
  readonly version: number;
  readonly collection: string;
}

/** Tombstone → vectors → chunks and blobs. There is no way back, so each step is asked for until it is answered. */
export const deletionSaga: SagaDefinition<Deletion> = {
  name: 'document-deletion',
  irrevocable: true,
  steps: [
    {
      name: 'remove-points',
      within: 15,
      onTimeout: 'resend',
      send: ({ documentId, collection, version }) => [
        sagaMessage(catalogue.removeDocument, documentId, { documentId, collection, version: BigInt(version) }),
      ],
    },
  ],
};

export const deletionId = (tenant: string, documentId: string, version: number | bigint): string =>
  `${tenant}/${documentId}@${version}`;
