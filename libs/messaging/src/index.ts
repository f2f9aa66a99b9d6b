export { BestEffortPublisher } from './best-effort-publisher.js';
export type {
  BusDriver,
  BusRecord,
  OutgoingRecord,
  PartitionLag,
  Position,
  PublishOutcome,
  RecordSink,
  SubscribeOptions,
  Subscription,
  TopicPartition,
} from './driver/bus-driver.js';
export { partitionForKey } from './driver/partitioner.js';
export { EmbeddedBusDriver } from './embedded/embedded-bus-driver.js';
export { encodeEvent, type EncodedEvent, type EventContext } from './envelope/cloud-events.js';
export { withSignature } from './envelope/event-signature.js';
export type { Message } from './envelope/message.js';
export {
  failureHeaders,
  forAllHandlers,
  originTopic,
  readRetryState,
  retryHeaders,
  withoutRetryState,
  type RetryState,
} from './envelope/retry-headers.js';
export type { Delivery, Publish } from './handling/delivery.js';
export type { Attempt, DeliveryJournal, DeliveryState, Failure } from './handling/delivery-journal.js';
export { outgoingHandler, unreadableHandler, type EventHandler } from './handling/event-handler.js';
export { KafkaBusDriver } from './kafka/kafka-bus-driver.js';
export { isOutage as isKafkaOutage } from './kafka/kafka-error.js';
export type { KafkaBusOptions, KafkaSasl } from './kafka/kafka-bus-options.js';
export type { TopicDrift } from './kafka/topic-drift.js';
export { ack, skip, type HandlerResult } from './handling/handler-result.js';
export { HandlesEvent, type HandlerOptions } from './handling/handles-event.decorator.js';
export type { RetryPolicy } from './handling/retry-policy.js';
export { RagmeshServer, type RagmeshServerOptions } from './server/ragmesh-server.js';
