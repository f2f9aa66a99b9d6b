import { catalogue, type EventSpec, type ServiceName } from '@ragmesh/contracts';
import { sagaMessage, type SagaDefinition, type SagaError, type SagaInput, type SagaState } from '@ragmesh/saga';
import { isRetryable } from '../domain/retryable.js';

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
  /** The generation `chunks` and `batches` are of: the one readers saw when the version was cut. Unset: there is one only. */
  readonly generation?: number;
  /** Chunks in every generation the version was written to, that one first. */
  readonly generations?: readonly { readonly generation: number; readonly chunks: number }[];
  /** Who may read the document, unless that has changed since; unset: it never had a list. */
  readonly access?: { readonly principals: readonly string[] | null; readonly revision: number };
}

const about = ({ documentId, version, collection }: Ingestion) => ({
  documentId,
  version: BigInt(version),
  collection,
});

const listOf = ({ principals, revision }: NonNullable<Ingestion['access']>) => ({
  restricted: principals !== null,
  principals: [...(principals ?? [])],
  revision: BigInt(revision),
});

/** Without news of one of its batches; see `QueuePatience`. */
export const INDEX_WITHIN_SECONDS = 900;

/**
 * created → chunked → indexed → shown. Events drive it forward; this saga watches order and deadlines, and undoes what may
 * have happened. Showing a version is past the point of no return, because it removes the version before it: it is asked for until it
 * is answered, and not called off any more. Where it fails, the index removes only what readers do not see.
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
      within: INDEX_WITHIN_SECONDS,
      onTimeout: 'fail',
      undo: (data) => [sagaMessage(catalogue.removeVersion, data.documentId, about(data))],
    },
    {
      name: 'show',
      within: 15,
      onTimeout: 'resend',
      isFinal: true,
      send: (data) => [
        sagaMessage(catalogue.showVersion, data.documentId, {
          ...about(data),
          expectedPoints: BigInt(data.chunks),
          generations: (data.generations ?? []).map(({ generation, chunks }) => ({
            generation,
            points: BigInt(chunks),
          })),
          ...(data.access ? { access: listOf(data.access) } : {}),
        }),
      ],
    },
  ],
};

/** What an ingestion waits for: without one of these it does not go on. */
const STEPS: readonly EventSpec[] = [
  catalogue.documentCreated,
  catalogue.documentUpdated,
  catalogue.documentChunked,
  catalogue.chunksEmbedded,
  catalogue.vectorIndexed,
  catalogue.showVersion,
  catalogue.vectorUpdated,
];
const STEP_TYPES = new Set(STEPS.map(({ type }) => type));
const STEP_TOPICS = new Set(STEPS.map(({ topic }) => topic));

/** Topics of what undoes a step, and of the answers to it. */
const UNDO_TOPICS = new Set<string>([
  catalogue.removeVersion.topic,
  catalogue.discardChunks.topic,
  catalogue.vectorDeleted.topic,
]);

/** Who ingests. Others that read the same events, a cache say, do not hold a document up. */
const WORKERS = new Set<string>(['document', 'embedding', 'vector'] satisfies ServiceName[]);

/** Showing is asked for so often, which takes an hour, before a failure that may pass counts. */
export const PATIENT_ATTEMPTS = 32;

/** Whether an event of this type, handled by this service, takes an ingestion forward. */
export const isIngestionStep = (service: string, type: string): boolean => WORKERS.has(service) && STEP_TYPES.has(type);

/** Whether an event of this topic and version, given up by this service, was a step of an ingestion or undid one. */
export const isOfIngestion = (service: string, topic: string, version: bigint): boolean =>
  WORKERS.has(service) && version > 0n && (STEP_TOPICS.has(topic) || UNDO_TOPICS.has(topic));

/** An event of an ingestion that was given up. */
export interface GivenUp {
  readonly topic: string;
  /** Of the collection's index, where the event named one. */
  readonly generation?: number | undefined;
  readonly error: SagaError;
}

/**
 * Whether the ingestion waits for what is written to a generation, or to whichever readers see. It is not held up by those
 * written beside it, nor does it fail with them: they stay incomplete, and what is incomplete is not shown.
 */
export const waitsFor = ({ generation: own }: Ingestion, generation: number | undefined): boolean =>
  (generation ?? own) === own;

/** What the saga makes of such an event: the step failed, or while it is being undone, the undo. */
export function failureInput(state: SagaState<Ingestion>, failed: GivenUp): SagaInput<Ingestion> | undefined {
  const { topic, generation, error } = failed;
  if (!waitsFor(state.data, generation)) return undefined;
  if (state.status === 'compensating') return UNDO_TOPICS.has(topic) ? { kind: 'undo-failed', error } : undefined;
  const isFailure = state.step === 'show' ? isRefused(state, failed) : STEP_TOPICS.has(topic);
  return isFailure ? { kind: 'step-failed', error } : undefined;
}

/**
 * Whether the index will not show the version. Whatever else is given up then, the answer say, proves nothing: it is asked again and
 * answers again. So it is after an outage; but what passes for one all the time is none.
 */
function isRefused({ attempts }: SagaState<Ingestion>, { topic, error }: GivenUp): boolean {
  return topic === catalogue.showVersion.topic && (!isRetryable(error.code) || attempts >= PATIENT_ATTEMPTS);
}

/** Id of the saga of one version; unique over tenants. */
export const ingestionId = (tenant: string, documentId: string, version: number | bigint): string =>
  `${tenant}/${documentId}@${version}`;
