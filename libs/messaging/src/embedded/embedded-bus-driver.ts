import { randomUUID } from 'node:crypto';
import type { TopicSpec } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type {
  BusDriver,
  OutgoingRecord,
  PublishOutcome,
  SubscribeOptions,
  Subscription,
} from '../driver/bus-driver.js';
import { BusDatabase } from './bus-database.js';
import { BusSignals, type BusSignal } from './bus-signals.js';
import { resolveBusOptions, type EmbeddedBusOptions, type ResolvedBusOptions } from './embedded-bus-options.js';
import { EmbeddedSubscription, type SubscriptionContext } from './embedded-subscription.js';
import { GroupCoordinator } from './group-coordinator.js';
import { GroupStore } from './group-store.js';
import { announceAppended, announceGroupsChanged, joinLocalTail, type TailListener } from './local-tail.js';
import { RecordWriter } from './record-writer.js';
import { RetentionSweeper } from './retention-sweeper.js';
import { TopicDirectory } from './topic-directory.js';

/** The bus on tables of a PostgreSQL database: partitions, offsets, groups, leases, redelivery and lag as with Kafka. */
export class EmbeddedBusDriver implements BusDriver {
  private readonly subscriptions = new Set<EmbeddedSubscription>();
  private readonly database: BusDatabase;
  private readonly topics: TopicDirectory;
  private readonly store: GroupStore;
  private readonly writer: RecordWriter;
  private readonly signals: BusSignals;
  private readonly coordinator: GroupCoordinator;
  private readonly sweeper: RetentionSweeper;
  private readonly tail: TailListener;
  private readonly leaveTail: () => void;
  private readonly poll: NodeJS.Timeout;
  private closing: Promise<void> | undefined;

  /** Creates the database and its tables where missing. Rejects with `STORAGE.UNAVAILABLE` without a server. */
  static async connect(options: EmbeddedBusOptions): Promise<EmbeddedBusDriver> {
    const driver = new EmbeddedBusDriver(resolveBusOptions(options));
    try {
      await driver.database.migrate();
      await driver.topics.refresh();
      await driver.signals.connect();
      driver.sweeper.start();
      return driver;
    } catch (error) {
      await driver.close();
      throw error;
    }
  }

  private constructor(private readonly options: ResolvedBusOptions) {
    const { databaseUrl, topicPrefix, leaseMs } = options;
    const failed = (error: unknown) => this.failed(error);
    this.database = new BusDatabase(databaseUrl, failed);
    this.topics = new TopicDirectory(this.database, topicPrefix);
    this.store = new GroupStore(this.database, leaseMs);
    this.writer = new RecordWriter(this.database, this.topics, options.maxRecordBytes, (id, records) => {
      announceAppended(databaseUrl, id, records);
      this.signals.tellAppended(id);
    });
    this.signals = new BusSignals(databaseUrl, randomUUID(), {
      connected: (session) => {
        this.coordinator.sessionIs(session);
        this.wakeAll();
      },
      lost: () => this.coordinator.sessionLost(),
      received: (signal) => this.received(signal),
      failed,
    });
    this.coordinator = new GroupCoordinator(this.store, leaseMs, () => this.othersLook(), failed);
    this.sweeper = new RetentionSweeper(this.database, topicPrefix, options.retention, failed);
    this.tail = {
      appended: (id, records) => this.subscriptions.forEach(({ reader }) => reader.appended(id, records)),
      groupsChanged: () => void this.coordinator.look(),
    };
    this.leaveTail = joinLocalTail(databaseUrl, this.tail);
    this.poll = setInterval(() => this.wakeAll(), options.pollMs).unref();
  }

  async provision(topics: readonly TopicSpec[]): Promise<void> {
    await this.topics.provision(topics);
  }

  partitionsOf(topic: string): number {
    return this.topics.partitionsOf(topic);
  }

  /** Calls keep their order. A record above the limit gets `EVENT.TOO_LARGE`; without a database all reject. */
  publish(records: readonly OutgoingRecord[]): Promise<PublishOutcome[]> {
    return this.writer.write(records);
  }

  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    if (this.closing) throw new RagmeshError('STORAGE.UNAVAILABLE', 'The event bus has been closed.');
    await this.topics.require(options.topics);
    const subscription = new EmbeddedSubscription(options, this.subscriptionContext());
    this.subscriptions.add(subscription);
    try {
      await this.coordinator.join(subscription);
    } catch (error) {
      this.subscriptions.delete(subscription);
      throw error;
    }
    return subscription;
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    clearInterval(this.poll);
    await this.sweeper.close();
    await Promise.all([...this.subscriptions].map((subscription) => subscription.close()));
    await this.writer.close();
    this.leaveTail();
    await this.coordinator.close();
    await this.signals.close();
    await this.database.close();
  }

  private subscriptionContext(): SubscriptionContext {
    const { database, topics, store } = this;
    return {
      database,
      topics,
      store,
      leaseMs: this.options.leaseMs,
      groupsChanged: () => this.groupsChanged(),
      left: async (subscription) => {
        this.subscriptions.delete(subscription);
        await this.coordinator.leave(subscription);
      },
      failed: (error) => this.failed(error),
    };
  }

  private groupsChanged(): void {
    this.othersLook();
    void this.coordinator.look();
  }

  private othersLook(): void {
    announceGroupsChanged(this.options.databaseUrl, this.tail);
    this.signals.tellGroupsChanged();
  }

  private received({ partitions, groups }: BusSignal): void {
    for (const { reader } of this.subscriptions) reader.wake(partitions);
    if (groups) void this.coordinator.look();
  }

  private wakeAll(): void {
    for (const { reader } of this.subscriptions) reader.wake();
  }

  private failed(error: unknown): void {
    if (!this.closing) this.options.onError(error);
  }
}
