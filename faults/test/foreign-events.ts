import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { catalogue } from '@ragmesh/contracts';

/** What of another tenant an event can name. */
export interface Victim {
  readonly documentId: string;
  readonly version: bigint;
  readonly collection: string;
  /** Chunks of that version. */
  readonly points: number;
}

type Catalogue = typeof catalogue;
type PayloadOf<Name extends keyof Catalogue> = MessageInitShape<Catalogue[Name]['schema']>;

const words = 'Words of an intruder';
const chunk = (ordinal: number) => ({ ordinal, text: `${words} ${ordinal}.`, start: 0, end: words.length + 3 });
const batch = ({ documentId, version, collection }: Victim) => ({
  documentId,
  version,
  collection,
  batch: 0,
  batches: 1,
  title: words,
});
const spent = { requestId: 'intruder', model: 'stub', collection: 'default', mode: 'hybrid', results: 0, totalMs: 1 };
const letter = ({ documentId, version }: Victim) => ({
  handler: 'vector.index-chunks',
  topic: 'chunks.embedded',
  eventId: 'intruder',
  subject: documentId,
  version,
});

/**
 * The most harmful thing each event can say of a victim. An event type of the catalogue without an entry does not compile.
 * @param victim whose ids the event names, though it is another tenant's
 */
export const foreignPayloads: { readonly [Name in keyof Catalogue]: (victim: Victim) => PayloadOf<Name> } = {
  documentCreated: ({ documentId, version, collection }) => ({ documentId, version: version + 1n, collection }),
  documentUpdated: ({ documentId, version, collection }) => ({ documentId, version: version + 1n, collection }),
  documentChunked: (victim) => ({ ...batch(victim), chunks: [chunk(0)] }),
  documentReady: ({ documentId, version, collection }) => ({
    documentId,
    version: version + 1n,
    collection,
    chunks: 99,
    title: words,
  }),
  collectionRecut: ({ documentId, version, collection }) => ({
    collection,
    generation: 1,
    documents: [{ documentId, version, chunks: 99 }],
  }),
  documentFailed: ({ documentId, version, collection }) => ({ documentId, version, collection, code: 'INTRUDER' }),
  documentDeleted: ({ documentId, version, collection }) => ({ documentId, version: version + 1n, collection }),
  chunksEmbedded: (victim) => ({
    ...batch(victim),
    chunks: [chunk(0)],
    model: 'mock',
    dimension: 4,
    vectors: new Uint8Array(new Float32Array([1, 0, 0, 0]).buffer),
  }),
  vectorIndexed: ({ documentId, version, collection, points }) => ({
    documentId,
    version,
    collection,
    batch: 0,
    batches: 1,
    points,
  }),
  vectorUpdated: ({ documentId, version, collection }) => ({ documentId, version, collection, pointsVisible: 1n }),
  vectorDeleted: ({ documentId, collection, points }) => ({ documentId, collection, pointsRemoved: BigInt(points) }),
  queryProcessed: () => spent,
  retrievalCompleted: () => spent,
  embeddingCompleted: () => ({ model: 'stub', tokens: 1_000_000n }),
  generationCompleted: () => ({ requestId: 'intruder', model: 'stub', promptTokens: 1_000_000 }),
  modelLoaded: () => ({ model: 'intruder' }),
  modelUnloaded: () => ({ model: 'mock' }),
  modelUpdated: () => ({ model: 'mock', previousRevision: '1', revision: '2' }),
  accessChanged: ({ documentId, collection }) => ({
    documentId,
    collection,
    access: { restricted: true, principals: ['intruder'], revision: 1_000n },
    changedAt: timestampFromDate(new Date()),
  }),
  settingsChanged: () => ({ name: 'intruder', version: 1_000n }),
  serviceHealth: () => ({ service: 'vector', status: 'down' }),
  performanceMetrics: () => ({ service: 'vector', values: { intruder: 1 } }),
  errorOccurred: (victim) => ({ ...letter(victim), service: 'vector', code: 'EVENT.INVALID', message: words }),
  eventReplayed: (victim) => ({ ...letter(victim), service: 'vector', eventType: 'chunks.embedded' }),
  showVersion: ({ documentId, version, collection, points }) => ({
    documentId,
    version,
    collection,
    expectedPoints: BigInt(points),
    access: { restricted: true, principals: ['intruder'], revision: 1_000n },
  }),
  removeVersion: ({ documentId, version, collection }) => ({ documentId, version, collection }),
  removeDocument: ({ documentId, version, collection }) => ({ documentId, version: version + 1n, collection }),
  discardChunks: ({ documentId, version }) => ({ documentId, version }),
};
