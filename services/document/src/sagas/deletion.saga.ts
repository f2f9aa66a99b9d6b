import { catalogue } from '@ragmesh/contracts';
import { sagaMessage, type SagaDefinition } from '@ragmesh/saga';

/** What a deletion removed; the caller's receipt. */
export interface Receipt {
  readonly points_removed: number;
  readonly chunks_removed: number;
  /** Those that no other document has. While a backup runs they stay on disk until it has ended. */
  readonly blobs_removed: number;
}

export interface Deletion {
  readonly tenant: string;
  readonly documentId: string;
  /** Newest version when the deletion was asked for: everything up to it is dead. */
  readonly version: number;
  readonly collection: string;
  /** How many blobs were given up so far. */
  readonly blobs?: number;
  /** Once it is done. It outlives that of the document, which goes when the id is used again. */
  readonly receipt?: Receipt;
}

/** Tombstone → vectors → chunks and blobs. There is no way back, so each step is asked for until it is answered. */
export const deletionSaga: SagaDefinition<Deletion> = {
  name: 'document-deletion',
  steps: [
    {
      name: 'remove-points',
      within: 15,
      onTimeout: 'resend',
      isFinal: true,
      send: ({ documentId, collection, version }) => [
        sagaMessage(catalogue.removeDocument, documentId, { documentId, collection, version: BigInt(version) }),
      ],
    },
  ],
};

export const deletionId = (tenant: string, documentId: string, version: number | bigint): string =>
  `${tenant}/${documentId}@${version}`;
