export { findFlag, flagCatalogue, type FlagName, type FlagSpec } from './flag-catalogue.js';
export * as eventsV1 from './events.js';
export * as documentV1 from './generated/ragmesh/document/v1/document_pb.js';
export * as knowledgeV1 from './knowledge.js';
export * as embeddingV1 from './embedding.js';
export * as vectorV1 from './generated/ragmesh/vector/v1/vector_pb.js';
export * as retrievalV1 from './generated/ragmesh/retrieval/v1/retrieval_pb.js';
export * as generationV1 from './generation.js';
export * as modelV1 from './generated/ragmesh/model/v1/model_pb.js';
export * as messagingV1 from './generated/ragmesh/messaging/v1/dead_letter_pb.js';
export * as operationsV1 from './operations.js';
export {
  catalogue,
  eventSpecs,
  findEventSpec,
  databaseName,
  serviceNames,
  type EventSpec,
  type ServiceName,
} from './event-catalogue.js';
export { DEFAULT_TENANT, tenantPattern } from './tenant-name.js';
export { contentTypeOf, decodePayload, encodePayload } from './event-codec.js';
export {
  deadLetterTopic,
  eventTopicOf,
  consumerGroup,
  retryTopic,
  topicSpecs,
  topicsConsumedBy,
  type TopicSpec,
} from './topic-catalogue.js';
export { asyncApiDocument } from './async-api.js';
export { eventTable } from './event-table.js';
export { messageSchema } from './json-schema.js';
