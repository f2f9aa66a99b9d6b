import { catalogue } from '@ragmesh/contracts';
import { sagaMessage, type SagaDefinition } from '@ragmesh/saga';

/** What the saga of one version knows. Counts only: the content lies in blobs and rows. */
export interface Ingestion {
  readonly tenant: string;
  readonly documentId: string;
  readonly version: number;
  readonly collection: string;
  readonly chunks: number;
  readonly batches: number;
  /** Batches that are indexed, by number: events may come twice and in any order. */
  readonly indexed: readonly number[];
  readonly acceptedAt: string;
}

const about = ({ documentId, version, collection }: Ingestion) => ({
  documentId,
  version: BigInt(version),
  collection,
});

/**
 * created → chunked → indexed → shown. Events drive it forward; this saga watches order and deadlines, and undoes what may
 * have happened. Showing a version is past the point of no return: it is asked for until it is answered.
 */
export const ingestionSaga: SagaDefinition<Ingestion> = {
  name: 'document-ingestion',
  steps: [
    {
      name: 'chunk',
      within: 600,
      onTimeout: 'fail',
      undo: (data, reason) =>
        reason === 'aborted'
          ? [
              sagaMessage(catalogue.discardChunks, data.documentId, {
                documentId: data.documentId,
                version: BigInt(data.version),
              }),
            ]
          : [],
    },
    {
      name: 'index',
      within: 900,
      onTimeout: 'fail',
      undo: (data) => [sagaMessage(catalogue.removeVersion, data.documentId, about(data))],
    },
    {
      name: 'show',
      within: 15,
      onTimeout: 'resend',
      send: (data) => [
        sagaMessage(catalogue.showVersion, data.documentId, { ...about(data), expectedPoints: BigInt(data.chunks) }),
      ],
    },
  ],
};

/** Id of the saga of one version; unique over tenants. */
export const ingestionId = (tenant: string, documentId: string, version: number | bigint): string =>
  `${tenant}/${documentId}@${version}`;
