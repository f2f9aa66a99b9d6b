import type { DescMessage } from '@bufbuild/protobuf';
import * as events from './events.js';

/** The eight services, as they are named in topics, sources and metrics. */
export const serviceNames = [
  'gateway',
  'document',
  'knowledge',
  'embedding',
  'vector',
  'retrieval',
  'generation',
  'model',
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Each service has its own database, and nobody else opens it. */
export const databaseName = (service: ServiceName): string => `ragmesh_${service}`;

/** One event type: its topic carries nothing else, so a stage's backlog is its topic's lag. */
export interface EventSpec<Desc extends DescMessage = DescMessage> {
  readonly kind: 'event' | 'command';
  /** `ce_type`; for an event also the topic. */
  readonly type: string;
  readonly topic: string;
  readonly schema: Desc;
  /** The field without which the event would be about nothing, as the proto names it. */
  readonly subjectField: string;
  readonly encoding: 'json' | 'protobuf';
  readonly producers: readonly ServiceName[];
  readonly consumers: readonly ServiceName[];
  readonly partitions: number;
  readonly retentionHours: number;
  /** What the event says, in one sentence. */
  readonly summary: string;
}

type Options = Partial<Pick<EventSpec, 'encoding' | 'partitions' | 'retentionHours' | 'subjectField'>> & {
  from: readonly ServiceName[];
  to?: readonly ServiceName[];
  says: string;
};

function event<Desc extends DescMessage>(type: string, schema: Desc, options: Options): EventSpec<Desc> {
  const { from, to = [], says, encoding = 'json', partitions = 6, retentionHours = 168 } = options;
  const { subjectField = schema.fields[0]!.name } = options;
  return {
    kind: 'event',
    type,
    topic: type,
    schema,
    subjectField,
    encoding,
    producers: from,
    consumers: to,
    partitions,
    retentionHours,
    summary: says,
  };
}

function command<Desc extends DescMessage>(to: ServiceName, verb: string, schema: Desc, says: string): EventSpec<Desc> {
  const spec = event(`${to}.${verb}`, schema, { from: ['document'], to: [to], says });
  return { ...spec, kind: 'command', topic: `${to}.commands` };
}

const everyone = [...serviceNames];

/** Everything that travels on the bus. Topics, AsyncAPI, provisioning and the README's event table come from here. */
export const catalogue = {
  documentCreated: event('document.created', events.DocumentCreatedSchema, {
    from: ['document'],
    to: ['document', 'knowledge'],
    says: 'A first version was accepted and its content is stored.',
  }),
  documentUpdated: event('document.updated', events.DocumentUpdatedSchema, {
    from: ['document'],
    to: ['document'],
    says: 'A further version was accepted; readers see the old one until it is ready.',
  }),
  documentChunked: event('document.chunked', events.DocumentChunkedSchema, {
    from: ['document'],
    to: ['embedding'],
    encoding: 'protobuf',
    retentionHours: 24,
    says: 'One batch of at most 64 chunks is to be embedded.',
  }),
  documentReady: event('document.ready', events.DocumentReadySchema, {
    from: ['document'],
    to: ['knowledge'],
    says: 'This version is what readers see.',
  }),
  collectionRecut: event('collection.recut', events.CollectionRecutSchema, {
    from: ['document'],
    to: ['knowledge'],
    says: 'Readers see documents of a collection cut into other numbers of chunks.',
  }),
  documentFailed: event('document.failed', events.DocumentFailedSchema, {
    from: ['document'],
    says: 'This version will not become ready without a retry or a new upload.',
  }),
  documentDeleted: event('document.deleted', events.DocumentDeletedSchema, {
    from: ['document'],
    to: ['knowledge', 'generation'],
    says: 'Nothing of the document is left; the counts are its receipt.',
  }),
  chunksEmbedded: event('chunks.embedded', events.ChunksEmbeddedSchema, {
    from: ['embedding'],
    to: ['vector'],
    encoding: 'protobuf',
    retentionHours: 24,
    says: 'A batch of chunks with its vectors is to be indexed.',
  }),
  vectorIndexed: event('vector.indexed', events.VectorIndexedSchema, {
    from: ['vector'],
    to: ['document'],
    says: 'A batch is stored, staged and not yet visible.',
  }),
  vectorUpdated: event('vector.updated', events.VectorUpdatedSchema, {
    from: ['vector'],
    to: ['document', 'retrieval'],
    subjectField: 'collection',
    says: 'Readers see this version of the document and no other; without a document, another generation of the collection.',
  }),
  vectorDeleted: event('vector.deleted', events.VectorDeletedSchema, {
    from: ['vector'],
    to: ['document', 'retrieval'],
    says: 'Points were removed; what remains was counted afterwards.',
  }),
  queryProcessed: event('query.processed', events.QueryProcessedSchema, {
    from: ['retrieval'],
    retentionHours: 24,
    says: 'A question was answered: counts and times, never text.',
  }),
  retrievalCompleted: event('retrieval.completed', events.RetrievalCompletedSchema, {
    from: ['retrieval'],
    retentionHours: 24,
    says: 'The sources of a question were found.',
  }),
  embeddingCompleted: event('embedding.completed', events.EmbeddingCompletedSchema, {
    from: ['embedding'],
    to: ['generation'],
    says: 'A provider embedded a batch of chunks: model and token count.',
  }),
  generationCompleted: event('generation.completed', events.GenerationCompletedSchema, {
    from: ['generation'],
    retentionHours: 24,
    says: 'An answer was generated: model and token counts.',
  }),
  modelLoaded: event('model.loaded', events.ModelLoadedSchema, {
    from: ['model'],
    partitions: 1,
    says: 'A model can be used.',
  }),
  modelUnloaded: event('model.unloaded', events.ModelUnloadedSchema, {
    from: ['model'],
    partitions: 1,
    says: 'A model left memory.',
  }),
  modelUpdated: event('model.updated', events.ModelUpdatedSchema, {
    from: ['model'],
    partitions: 1,
    says: 'A newer revision of a model is there.',
  }),
  accessChanged: event('access.changed', events.AccessChangedSchema, {
    from: ['knowledge', 'document'],
    to: ['document', 'vector', 'retrieval', 'generation'],
    says: 'Who may read a collection or document changed.',
  }),
  settingsChanged: event('settings.changed', events.SettingsChangedSchema, {
    from: ['knowledge'],
    partitions: 1,
    says: 'A setting was edited at run time.',
  }),
  serviceHealth: event('service.health', events.ServiceHealthSchema, {
    from: everyone,
    partitions: 1,
    retentionHours: 24,
    says: 'State of one copy of a service: when it changes, and once a minute.',
  }),
  performanceMetrics: event('performance.metrics', events.PerformanceMetricsSchema, {
    from: everyone,
    partitions: 1,
    retentionHours: 24,
    says: 'Figures of the process of one copy of a service, once a minute.',
  }),
  errorOccurred: event('error.occurred', events.ErrorOccurredSchema, {
    from: everyone,
    to: ['document'],
    says: "A handler gave an event up; the event is in that service's dead letters.",
  }),
  eventReplayed: event('event.replayed', events.EventReplayedSchema, {
    from: everyone,
    to: ['document'],
    says: 'A dead letter was replayed and handled after all.',
  }),
  showVersion: command(
    'vector',
    'show-version',
    events.ShowVersionSchema,
    'Make this version visible and remove older ones.',
  ),
  removeVersion: command('vector', 'remove-version', events.RemoveVersionSchema, 'Remove a staged version.'),
  removeDocument: command(
    'vector',
    'remove-document',
    events.RemoveDocumentSchema,
    'Tombstone a document and remove every point of it.',
  ),
  discardChunks: command(
    'document',
    'discard-chunks',
    events.DiscardChunksSchema,
    'Remove the chunks of a version that will not become ready.',
  ),
} as const;

/** All specs, in catalogue order. */
export const eventSpecs: readonly EventSpec[] = Object.values(catalogue);

/** The spec of a `ce_type`, or undefined when this release does not know it. */
export function findEventSpec(type: string): EventSpec | undefined {
  return eventSpecs.find((spec) => spec.type === type);
}
