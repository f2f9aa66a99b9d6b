import { isRagmeshError, RagmeshError } from '@ragmesh/errors';

interface KafkaFailure {
  readonly name?: string;
  /** The broker's error code by name, `NOT_LEADER_FOR_PARTITION`. */
  readonly type?: string;
  readonly message?: string;
  readonly cause?: unknown;
  /** What became of each topic, where a request was about several. */
  readonly errors?: readonly KafkaFailure[];
}

/** The failure and everything that led to it; kafkajs wraps what it gives up on, sometimes several times. */
function* chain(error: unknown): Generator<KafkaFailure> {
  for (let current = error, depth = 0; current && depth < 8; depth += 1) {
    yield current as KafkaFailure;
    yield* (current as KafkaFailure).errors ?? [];
    current = (current as KafkaFailure).cause;
  }
}

const hasType = (error: unknown, types: ReadonlySet<string>): boolean =>
  [...chain(error)].some(({ type }) => type !== undefined && types.has(type));
const hasName = (error: unknown, names: ReadonlySet<string>): boolean =>
  [...chain(error)].some(({ name }) => name !== undefined && names.has(name));

const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const membershipLost = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
]);
const refused = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
]);
const outages = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSBrokerNotFound',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSLockTimeout',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
]);

/** What kafkajs says of a broker that took the connection and never answered; it is a plain `Error`. */
const NEVER_ANSWERED = 'Broker not connected';

/** What brokers answer while they come back one after another. */
const comingBack = new Set([
  'LEADER_NOT_AVAILABLE',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
]);

/** The broker takes no batch of this size. */
export const isTooLarge = (error: unknown): boolean => hasType(error, tooLarge);

/** The broker that was asked does not know the topic, or not yet: brokers hear of a new one after each other. */
export const isUnknownTopic = (error: unknown): boolean => hasType(error, new Set(['UNKNOWN_TOPIC_OR_PARTITION']));

/** The group has moved on without this member, or is about to. */
export const isMembershipLost = (error: unknown): boolean => hasType(error, membershipLost);

/** Brokers cannot be reached or have no answer yet, whatever kafkajs thinks of retrying it. Ends when they are back. */
export const isOutage = (error: unknown): boolean =>
  (hasName(error, outages) || hasType(error, comingBack) || isUnanswered(error)) && !isRefused(error);

const isUnanswered = (error: unknown): boolean => [...chain(error)].some(({ message }) => message === NEVER_ANSWERED);

const isRefused = (error: unknown): boolean =>
  hasType(error, refused) || hasName(error, new Set(['KafkaJSSASLAuthenticationError']));

/** What several topics failed of is told once. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errors = [] } = error as KafkaFailure;
  return [...new Set([error, ...errors].map(({ message }) => message))].join(': ');
}

/** Ours already, `CONFIG.INVALID` when the cluster refuses us, otherwise `DEPENDENCY.UNAVAILABLE` with the cause. */
export function kafkaError(error: unknown, doing: string): RagmeshError {
  if (isRagmeshError(error)) return error;
  const reason = reasonOf(error);
  if (isRefused(error)) {
    const advice = 'check KAFKA_SASL_* and the access rules of this client';
    return new RagmeshError('CONFIG.INVALID', `Kafka refuses ${doing}: ${reason}; ${advice}.`, {}, { cause: error });
  }
  return new RagmeshError('DEPENDENCY.UNAVAILABLE', `Kafka failed at ${doing}: ${reason}`, {}, { cause: error });
}
