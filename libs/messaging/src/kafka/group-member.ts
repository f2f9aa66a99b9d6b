import type { Batch, Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';
import { METADATA_MAX_AGE_MS, type KafkaClients } from './kafka-client.js';
import { stickyAssigner, type Holding } from './sticky-assigner.js';

/** An idle fetch ends after this long: the longest wait for a heartbeat, for leaving, and until a resumed partition is read. */
const FETCH_WAIT_MS = 500;
const BYTES_PER_PARTITION = 512 * 1024;
const HEARTBEAT_MS = 1_000;
/** kafkajs always does something: it fetches, joins or reports a crash. Silent for so long, it hangs. */
const STALLED_MS = 5 * 60_000;

export interface MemberOptions {
  /** As the cluster names it. */
  readonly group: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
}

/** What happens to a member. Topics are named as in the cluster. None of these may throw. */
export interface MemberEvents {
  /** What the member has, told to the group when it joins. */
  holding(): Holding;
  joined(memberId: string, assignment: Readonly<Record<string, readonly number[]>>): void;
  /** The member has left the group. `restarts`: kafkajs will join again under another id. */
  crashed(error: Error, restarts: boolean): void;
  /** Resolves once new records may be delivered. */
  ready(): Promise<void>;
  /** @returns whether the batch was taken; if not, it is fetched again. */
  fetched(batch: Batch): boolean;
}

/**
 * One kafkajs consumer, from its start to its end; a crashed or closed one is never used again. Its fetch loop waits for
 * nobody, so heartbeats go out however long handlers take: a handler that hangs is ended by its own deadline.
 */
export class GroupMember {
  readonly #consumer: Consumer;
  #isClosing = false;
  /** By `performance.now()`, which goes on while the process is frozen. */
  #lastHeard = 0;
  #lastActive = performance.now();

  constructor(
    { newClient, protocol }: KafkaClients,
    private readonly options: MemberOptions,
    private readonly events: MemberEvents,
  ) {
    const { group, sessionTimeoutMs } = options;
    this.#consumer = newClient().consumer({
      groupId: group,
      partitionAssigners: [stickyAssigner(protocol, () => events.holding())],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(30_000, sessionTimeoutMs),
      heartbeatInterval: Math.min(HEARTBEAT_MS, sessionTimeoutMs / 3),
      metadataMaxAge: METADATA_MAX_AGE_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition: BYTES_PER_PARTITION,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 6, restartOnFailure: () => this.#mayRestart() },
    });
    this.#listen();
  }

  /** Resolves once kafkajs has tried to join; `joined` tells when it has. */
  async run(): Promise<void> {
    await this.#consumer.connect();
    // Without `fromBeginning` a new group, and one whose position expired, would silently start at the end.
    await this.#consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#take(payload),
    });
  }

  commit(positions: readonly { topic: string; partition: number; offset: string }[]): Promise<void> {
    return this.#consumer.commitOffsets([...positions]);
  }

  seek(topic: string, partition: number, offset: number): void {
    this.#consumer.seek({ topic, partition, offset: String(offset) });
  }

  fetch(topic: string, partition: number, on: boolean): void {
    const partitions = [{ topic, partitions: [partition] }];
    if (this.#isClosing) return;
    if (on) this.#consumer.resume(partitions);
    else this.#consumer.pause(partitions);
  }

  /** Whether kafkajs does anything at all. */
  get isActive(): boolean {
    return performance.now() - this.#lastActive < STALLED_MS;
  }

  /** Leaves the group. During an outage kafkajs may take very long, and join once more after that: see `#joined`. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#consumer.disconnect();
  }

  #listen(): void {
    const { GROUP_JOIN, HEARTBEAT, CRASH, FETCH_START } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, (event) => this.#joined(event));
    this.#consumer.on(HEARTBEAT, () => this.#heard());
    this.#consumer.on(FETCH_START, () => this.#active());
    this.#consumer.on(CRASH, ({ payload: { error, restart } }) => {
      this.#active();
      this.events.crashed(error, restart);
    });
  }

  #joined({ payload: { memberId, memberAssignment } }: ConsumerGroupJoinEvent): void {
    this.#heard();
    // A consumer that was closed while it was joining joins all the same. Once it runs, it can be told again.
    if (this.#isClosing) setTimeout(() => void this.#consumer.disconnect().catch(() => undefined), 10);
    else this.events.joined(memberId, memberAssignment);
  }

  async #take({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    if (this.#isClosing) return;
    // A process that was frozen still has a batch in its hands, and perhaps no longer the partition: ask first.
    if (performance.now() - this.#lastHeard > this.options.sessionTimeoutMs) await heartbeat();
    await this.events.ready();
    if (this.#isClosing || !this.events.fetched(batch)) return;
    try {
      resolveOffset(batch.lastOffset());
    } catch {
      // The assignment changed within this turn and kafkajs no longer knows the topic. Thrown on, its TypeError would end
      // the consumer for good; the group's position decides what is read next.
    }
  }

  #mayRestart(): Promise<boolean> {
    return Promise.resolve(!this.#isClosing);
  }

  #heard(): void {
    this.#lastHeard = performance.now();
    this.#active();
  }

  #active(): void {
    this.#lastActive = performance.now();
  }
}
