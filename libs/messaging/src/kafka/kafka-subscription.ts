import { setTimeout as delay } from 'node:timers/promises';
import { asRagmeshError, RagmeshError } from '@ragmesh/errors';
import type { Admin, Batch } from 'kafkajs';
import type {
  BusRecord,
  PartitionLag,
  Position,
  SubscribeOptions,
  Subscription,
  TopicPartition,
} from '../driver/bus-driver.js';
import { AssignmentSignal } from './assignment-signal.js';
import { withDeadline } from './deadline.js';
import { GroupLag } from './group-lag.js';
import { GroupMember } from './group-member.js';
import { HeldPartitions } from './held-partitions.js';
import { isOutage, kafkaError } from './kafka-error.js';
import { toBusRecord } from './kafka-record.js';
import type { KafkaClients } from './kafka-client.js';
import type { KafkaTopics } from './kafka-topics.js';
import type { PartitionFeed } from './partition-feed.js';
import { PositionCommitter } from './position-committer.js';
import type { Holding } from './sticky-assigner.js';

const REENTER_MS = 1_000;

export interface SubscriptionContext {
  readonly topics: KafkaTopics;
  readonly admin: Admin;
  readonly sessionTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly clients: KafkaClients;
  left(subscription: KafkaSubscription): void;
  failed(error: unknown): void;
}

/** One place in a consumer group, kept through crashes of kafkajs by one `GroupMember` after the other. */
export class KafkaSubscription implements Subscription {
  readonly #held: HeldPartitions;
  readonly #committer: PositionCommitter;
  readonly #lag: GroupLag;
  readonly #assignment: AssignmentSignal;
  readonly #group: string;
  #member: GroupMember;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly options: SubscribeOptions,
    private readonly context: SubscriptionContext,
  ) {
    const stored = (topic: string) => context.topics.storedName(topic);
    this.#group = stored(options.group);
    this.#assignment = new AssignmentSignal(this.#group);
    this.#lag = new GroupLag(context.admin, this.#group, stored);
    this.#committer = new PositionCommitter({
      store: (positions) => this.#store(positions),
      assigned: () => this.#assignment.next(),
    });
    this.#held = new HeldPartitions({
      deliver: (records) => this.#deliver(records),
      revoked: (partitions) => options.sink.revoked(partitions),
      fetch: ({ topic, partition }, on) => this.#member.fetch(stored(topic), partition, on),
      seek: ({ topic, partition }, offset) => this.#member.seek(stored(topic), partition, offset),
      failed: (error) => context.failed(error),
    });
    this.#member = this.#newMember();
  }

  /** Resolves once the member has its partitions, or the brokers have not managed to say in time. */
  async start(): Promise<void> {
    const assigned = this.#assignment.next();
    assigned.catch(() => undefined); // looked at below
    await this.#member.run();
    await assigned.catch((error: unknown) => {
      if (this.#failure) throw this.#failure;
      this.context.failed(error);
    });
  }

  async commit(positions: readonly Position[]): Promise<void> {
    const held = positions.flatMap((position): [PartitionFeed, number][] => {
      const feed = this.#held.of(position);
      return feed ? [[feed, position.offset]] : [];
    });
    if (held.length > 0) await this.#committer.commit(held);
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#held.of(partition)?.pause();
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#held.of(partition)?.resume();
  }

  /** Of the partitions this member holds, so that the members' figures add up to the group's. */
  async lag(): Promise<PartitionLag[]> {
    try {
      return await this.#lag.of(this.#held.all());
    } catch (error) {
      throw kafkaError(error, 'reading the lag');
    }
  }

  isAlive(): boolean {
    return this.#closing === undefined && this.#failure === undefined && this.#member.isActive;
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async #leave(): Promise<void> {
    for (const feed of this.#held.all()) feed.pause();
    const leaving = this.#committer
      .flush()
      .catch((error: unknown) => this.context.failed(error))
      .then(() => this.#member.close());
    await withDeadline(leaving, this.context.closeTimeoutMs, `leaving the group ${this.#group}`).catch(
      (error: unknown) => this.context.failed(error),
    );
    for (const feed of this.#held.all()) feed.release();
    this.#assignment.ended(new RagmeshError('STORAGE.UNAVAILABLE', 'The event bus has been closed.'));
    this.context.left(this);
  }

  #newMember(): GroupMember {
    const { topics, sessionTimeoutMs, clients } = this.context;
    const stored = this.options.topics.map((topic) => topics.storedName(topic));
    return new GroupMember(
      clients,
      { group: this.#group, topics: stored, sessionTimeoutMs },
      {
        holding: () => this.#holding(),
        joined: (memberId, assignment) => this.#joined(memberId, assignment),
        crashed: (error, restarts) => this.#crashed(error, restarts),
        ready: () => this.#held.ready(),
        fetched: (batch) => this.#fetched(batch),
      },
    );
  }

  #holding(): Holding {
    const stored = ({ id: { topic, partition } }: PartitionFeed) => {
      return { topic: this.context.topics.storedName(topic), partition };
    };
    return { memberId: this.#held.memberId, partitions: this.#held.all().map(stored) };
  }

  #joined(memberId: string, assignment: Readonly<Record<string, readonly number[]>>): void {
    const partitions = Object.entries(assignment).flatMap(([stored, numbers]) =>
      numbers.map((partition) => ({ topic: this.context.topics.ownName(stored), partition })),
    );
    this.#held.assign(memberId, partitions);
    this.#assignment.assigned();
  }

  #fetched({ topic: stored, partition, messages }: Batch): boolean {
    if (this.#closing) return false;
    const topic = this.context.topics.ownName(stored);
    const records = messages.map((message) => toBusRecord(topic, partition, message));
    return this.#held.accept({ topic, partition }, records);
  }

  /** A sink must not throw. Going on without these records would lose them, so the member gives up instead. */
  #deliver(records: readonly BusRecord[]): void {
    if (this.#failure) return;
    try {
      this.options.sink.deliver(records);
    } catch (error) {
      this.context.failed(error);
      this.#fail(asRagmeshError(error));
    }
  }

  /** kafkajs takes some outages for final: those are over when the brokers are back. What is left fails liveness. */
  #crashed(error: Error, restarts: boolean): void {
    if (this.#closing) return;
    this.#held.loseAll();
    const failure = kafkaError(error, `consuming as ${this.#group}`);
    this.context.failed(failure);
    if (restarts) return;
    if (isOutage(error)) void this.#reenter();
    else this.#fail(failure);
  }

  async #reenter(): Promise<void> {
    while (!this.#closing) {
      await delay(REENTER_MS, undefined, { ref: false });
      if (this.#closing) return;
      const member = this.#newMember();
      this.#member = member;
      try {
        return await member.run();
      } catch (error) {
        await this.#dismiss(member);
        const failure = kafkaError(error, `joining ${this.#group} again`);
        this.context.failed(failure);
        if (!isOutage(error)) return this.#fail(failure);
      }
    }
  }

  /** A member that could not run may be connected all the same, and nobody else will close it. */
  async #dismiss(member: GroupMember): Promise<void> {
    const doing = `leaving the group ${this.#group}`;
    await withDeadline(member.close(), this.context.closeTimeoutMs, doing).catch(() => undefined); // its failure to run is told
  }

  /** Ends for good, and leaves the partitions to members that work. */
  #fail(error: Error): void {
    this.#failure = error;
    this.#assignment.ended(error);
    void this.#member.close().catch(() => undefined); // the failure that led here is the one to tell
  }

  async #store(positions: readonly (readonly [PartitionFeed, number])[]): Promise<void> {
    await this.#member.commit(
      positions.map(([{ id }, offset]) => ({
        topic: this.context.topics.storedName(id.topic),
        partition: id.partition,
        offset: String(offset),
      })),
    );
    for (const [feed, offset] of positions) feed.committed(offset);
  }
}
