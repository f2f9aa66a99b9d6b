import { randomUUID } from 'node:crypto';
import type { PartitionLag, Position, SubscribeOptions, Subscription, TopicPartition } from '../driver/bus-driver.js';
import type { BusDatabase } from './bus-database.js';
import type { Claim, GroupStore, Membership } from './group-store.js';
import { PartitionReader } from './partition-reader.js';
import { PositionCommitter } from './position-committer.js';
import type { TopicDirectory } from './topic-directory.js';

export interface SubscriptionContext {
  readonly database: BusDatabase;
  readonly topics: TopicDirectory;
  readonly store: GroupStore;
  readonly leaseMs: number;
  /** Tells everyone that the group has to look at its claims. */
  groupsChanged(): void;
  /** Takes the member out of the group for good. */
  left(subscription: EmbeddedSubscription): Promise<void>;
  failed(error: unknown): void;
}

/** One member of a group: what it holds, reads and commits. The group's coordinator tells it what it holds. */
export class EmbeddedSubscription implements Subscription {
  readonly reader: PartitionReader;
  private readonly committer: PositionCommitter;
  private readonly handovers = new Set<Promise<void>>();
  private memberId = randomUUID();
  /** By `performance.now()`, which goes on while the process is frozen. */
  private leaseUntil = 0;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly options: SubscribeOptions,
    private readonly context: SubscriptionContext,
  ) {
    this.committer = new PositionCommitter(context.store, options.group);
    this.reader = new PartitionReader(context.database, context.topics, {
      sink: options.sink,
      mayDeliver: () => performance.now() < this.leaseUntil,
      failed: (error) => context.failed(error),
    });
  }

  get membership(): Membership {
    const topics = this.options.topics.map((topic) => this.context.topics.storedName(topic));
    return { id: this.memberId, group: this.options.group, topics };
  }

  /** @param since when the lease was asked for, by `performance.now()`: the database grants it later, never earlier. */
  leaseGranted(since: number): void {
    this.leaseUntil = since + this.context.leaseMs;
  }

  /** The lease ran out: all is lost, and the member has to join anew under another name. */
  evicted(): void {
    this.leaseUntil = 0;
    this.memberId = randomUUID();
    this.track(this.lose(this.reader.claims()));
  }

  /** Compares what it holds with what the database says, and hands over what others wait for. */
  reconcile(claims: readonly Claim[]): void {
    if (this.closing) return;
    const current = new Map(claims.map((claim) => [claim.partitionId, claim]));
    const lost = this.reader
      .claims()
      .filter(({ partitionId: id, generation }) => current.get(id)?.generation !== generation);
    if (lost.length > 0) this.track(this.lose(lost));
    const wanted = claims.filter(({ keep, partitionId }) => !keep && !this.leaving.has(partitionId));
    if (wanted.length > 0) this.track(this.handOver(wanted));
    const held = claims.filter(({ keep, partitionId }) => keep && !this.leaving.has(partitionId));
    for (const claim of held) if (!this.reader.claimOf(claim.partitionId)) this.reader.start(claim);
  }

  async commit(positions: readonly Position[]): Promise<void> {
    const held = positions.flatMap((position): Claim[] => {
      const id = this.context.topics.idOf(position);
      const claim = id === undefined ? undefined : (this.reader.claimOf(id) ?? this.leaving.get(id));
      return claim ? [{ ...claim, offset: position.offset }] : [];
    });
    if (held.length > 0) await this.committer.commit(held);
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const id of this.idsOf(partitions)) this.reader.pause(id);
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const id of this.idsOf(partitions)) this.reader.resume(id);
  }

  /** Of the partitions this member holds, so that the members' figures add up to the group's. */
  async lag(): Promise<PartitionLag[]> {
    const ids = this.reader.claims().map(({ partitionId }) => partitionId);
    const rows = await this.context.store.lag(this.options.group, ids);
    return rows.map(({ id, records, seconds }) => ({ ...this.context.topics.partition(id)!, records, seconds }));
  }

  /** A lost database or lease is repaired by itself, so only a closed member is dead. */
  isAlive(): boolean {
    return this.closing === undefined;
  }

  close(): Promise<void> {
    this.closing ??= this.leave();
    return this.closing;
  }

  /** Claims on their way to another member: no longer delivered, but their last commits still count. */
  private readonly leaving = new Map<number, Claim>();

  private async leave(): Promise<void> {
    await this.reader.close();
    await this.committer.flush().catch((error: unknown) => this.context.failed(error));
    await Promise.all(this.handovers);
    await this.context.left(this);
  }

  private async lose(claims: readonly Claim[]): Promise<void> {
    if (claims.length === 0) return;
    this.reader.stop(claims.map(({ partitionId }) => partitionId));
    await this.options.sink.revoked(this.partitionsOf(claims)).catch((error: unknown) => this.context.failed(error));
  }

  private async handOver(claims: readonly Claim[]): Promise<void> {
    for (const claim of claims) this.leaving.set(claim.partitionId, claim);
    try {
      const known = claims.filter(({ partitionId }) => this.reader.claimOf(partitionId));
      await Promise.race([this.lose(known), this.leaseElapsed()]);
      await this.committer.flush();
      await this.context.store.release(this.options.group, claims);
    } catch (error) {
      this.context.failed(error); // the claim is still ours: the next look at it tries again
    } finally {
      for (const { partitionId } of claims) this.leaving.delete(partitionId);
      this.context.groupsChanged();
    }
  }

  private leaseElapsed(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.context.leaseMs).unref());
  }

  private track(work: Promise<void>): void {
    this.handovers.add(work);
    void work.finally(() => this.handovers.delete(work));
  }

  private idsOf(partitions: readonly TopicPartition[]): number[] {
    return partitions.map((partition) => this.context.topics.idOf(partition)).filter((id) => id !== undefined);
  }

  private partitionsOf(claims: readonly Claim[]): TopicPartition[] {
    return claims.map(({ partitionId }) => this.context.topics.partition(partitionId)!);
  }
}
