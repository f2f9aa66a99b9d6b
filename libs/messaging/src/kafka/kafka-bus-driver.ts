import type { TopicSpec } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { Admin, Producer } from 'kafkajs';
import type {
  BusDriver,
  OutgoingRecord,
  PublishOutcome,
  SubscribeOptions,
  Subscription,
} from '../driver/bus-driver.js';
import { withDeadline } from './deadline.js';
import { resolveKafkaOptions, type KafkaBusOptions, type ResolvedKafkaOptions } from './kafka-bus-options.js';
import { loadKafkaClients, METADATA_MAX_AGE_MS, type KafkaClients } from './kafka-client.js';
import { kafkaError } from './kafka-error.js';
import { KafkaSubscription } from './kafka-subscription.js';
import { KafkaTopics } from './kafka-topics.js';
import { RecordPublisher } from './record-publisher.js';
import { TopicExtents } from './topic-extents.js';

/** The bus on Kafka, through kafkajs 2.2.4 and around its defects; `KAFKA.md` lists which guard answers which. */
export class KafkaBusDriver implements BusDriver {
  /** Provisioning, and the comparison of cluster and catalogue. */
  readonly topics: KafkaTopics;
  /** How far topics are written and groups have read. */
  readonly extents: TopicExtents;
  private readonly publisher: RecordPublisher;
  private readonly subscriptions = new Set<KafkaSubscription>();
  private closing: Promise<void> | undefined;

  /**
   * Connects to the cluster and learns its topics.
   * @throws RagmeshError DEPENDENCY.UNAVAILABLE when no broker answers, CONFIG.INVALID when they refuse the credentials.
   */
  static async connect(options: KafkaBusOptions): Promise<KafkaBusDriver> {
    const resolved = resolveKafkaOptions(options);
    const clients = await loadKafkaClients(resolved);
    const admin = clients.newClient().admin();
    const producer = clients.newClient().producer({
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      createPartitioner: () => explicitPartition,
      // About ten seconds, the time a new leader takes; beyond that the outbox is the retry.
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    });
    const driver = new KafkaBusDriver(resolved, clients, admin, producer);
    try {
      await Promise.all([admin.connect(), producer.connect()]);
      await driver.topics.refresh();
      return driver;
    } catch (error) {
      await driver.close();
      throw kafkaError(error, `connecting to ${resolved.brokers.join(', ')}`);
    }
  }

  private constructor(
    private readonly options: ResolvedKafkaOptions,
    private readonly clients: KafkaClients,
    private readonly admin: Admin,
    private readonly producer: Producer,
  ) {
    this.topics = new KafkaTopics(admin, options);
    this.extents = new TopicExtents(admin, this.topics);
    this.publisher = new RecordPublisher(producer, this.topics, options.maxRecordBytes);
  }

  async provision(topics: readonly TopicSpec[]): Promise<void> {
    await this.topics.provision(topics);
  }

  partitionsOf(topic: string): number {
    return this.topics.partitionsOf(topic);
  }

  /** A record above the limit gets `EVENT.TOO_LARGE`; without brokers all reject with `DEPENDENCY.UNAVAILABLE`. */
  publish(records: readonly OutgoingRecord[]): Promise<PublishOutcome[]> {
    return this.publisher.publish(records);
  }

  /** Resolves once the member has its partitions. */
  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    if (this.closing) throw new RagmeshError('STORAGE.UNAVAILABLE', 'The event bus has been closed.');
    await this.topics.require(options.topics);
    const { sessionTimeoutMs, closeTimeoutMs } = this.options;
    const subscription = new KafkaSubscription(options, {
      topics: this.topics,
      admin: this.admin,
      sessionTimeoutMs,
      closeTimeoutMs,
      clients: this.clients,
      left: (left) => this.subscriptions.delete(left),
      failed: (error) => this.failed(error),
    });
    this.subscriptions.add(subscription);
    try {
      await subscription.start();
      return subscription;
    } catch (error) {
      await subscription.close();
      throw kafkaError(error, `subscribing as ${options.group}`);
    }
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()));
    const ending = this.publisher
      .close()
      .then(() => Promise.all([this.producer.disconnect(), this.admin.disconnect()]));
    await withDeadline(ending, this.options.closeTimeoutMs, 'disconnecting').catch((error: unknown) =>
      this.options.onError(error),
    );
  }

  private failed(error: unknown): void {
    if (!this.closing) this.options.onError(error);
  }
}

/** Records say where they go: a partitioner that chose anew on a retry would lose and double them. */
const explicitPartition = ({ message }: { message: { partition?: number } }): number => message.partition!;
