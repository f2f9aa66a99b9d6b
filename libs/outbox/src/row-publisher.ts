import { isRagmeshError, RagmeshError } from '@ragmesh/errors';
import {
  partitionForKey,
  withSignature,
  type BusDriver,
  type OutgoingRecord,
  type PublishOutcome,
} from '@ragmesh/messaging';
import type { OutboxRow, OutboxRows, RowPlace } from './outbox-rows.js';
import type { RelayPass } from './relay-pass.js';

/** A bus that works answers sooner. Who waits longer for one partition keeps the events of all others. */
const PATIENCE_MS = 500;
/** Of a partition that failed last: enough to see whether it takes anything. */
const PROBE_BYTES = 256 * 1024;
/** Of rows whose answer is awaited; then nothing more is read. */
const MOST_UNANSWERED_BYTES = 32 * 1024 * 1024;
/** Of a topic that is not known here. */
const NO_PARTITION = -1;

/** Rows of one partition in their order, and the bus's answer once there is one. */
interface Share {
  readonly topic: string;
  readonly partition: number;
  readonly rows: OutboxRow[];
  bytes: number;
  /** Whether the answer took longer than anybody waits. */
  isLate?: boolean;
  outcomes?: readonly PublishOutcome[];
}

export interface PublisherEvents {
  /** Keeps a row that the bus will never take where somebody finds it. */
  setAside(row: OutboxRow, error: RagmeshError): Promise<void>;
  /** Nothing could be marked under this token. */
  lostLease(): void;
  /** An answer that nobody waited for has come, and rows of its partition may be published again. */
  answered(): void;
  failed(error: unknown): void;
}

/**
 * Publishes rows, each partition by itself, and notes what became of them: marked once the bus has confirmed them, and nothing
 * else. A partition that does not answer in time, or last failed or was late, is waited for by nobody: until it answers it is held
 * back, and there is one call for it at a time.
 */
export class RowPublisher {
  readonly #awaited = new Set<Promise<void>>();
  /** Answers nobody waited for that are to be noted, with the token their rows are marked under. */
  readonly #late: { readonly share: Share; readonly token: number }[] = [];
  #noting: Promise<void> | undefined;
  #unansweredBytes = 0;

  constructor(
    private readonly driver: BusDriver,
    private readonly rows: OutboxRows,
    private readonly pass: RelayPass,
    private readonly events: PublisherEvents,
  ) {}

  /** Whether so much awaits an answer that nothing more is to be read. */
  get isFull(): boolean {
    return this.#unansweredBytes >= MOST_UNANSWERED_BYTES;
  }

  partitionOf({ topic, key }: RowPlace): number {
    try {
      return partitionForKey(key, this.driver.partitionsOf(topic));
    } catch {
      return NO_PARTITION; // one topic that is missing must not keep the events of others
    }
  }

  /**
   * Publishes what the bus takes, sets aside what it never will, and holds back partitions that failed or do not answer.
   * @param token under which rows are marked.
   * @returns false when nothing could be marked under it.
   */
  async publish(rows: readonly OutboxRow[], token: number): Promise<boolean> {
    const shares = this.#shares(rows);
    const calls = shares.map((share) => this.#send(share));
    const isPrompt = ({ topic, partition }: Share): boolean => this.pass.isPrompt(topic, partition);
    // Of a probe not all rows were sent, so the rest must be held back even where it is answered already.
    const probes = new Set(shares.filter(({ topic, partition }) => this.pass.isSuspect(topic, partition)));
    await inTime(Promise.all(calls.filter((_, at) => isPrompt(shares[at]!))));
    const isOpen = (share: Share): boolean => share.outcomes === undefined || probes.has(share);
    for (const [at, share] of shares.entries()) if (isOpen(share)) this.#await(share, calls[at]!, token);
    return this.#settle(
      shares.filter((share) => !isOpen(share)),
      token,
    );
  }

  /** Resolves once everything is answered and noted. */
  async settled(): Promise<void> {
    await Promise.all(this.#awaited);
  }

  /** By partition; of one that failed last only as much as says whether it goes on. */
  #shares(rows: readonly OutboxRow[]): Share[] {
    const shares = new Map<string, Share>();
    for (const row of rows) {
      const [topic, partition] = [row.topic, this.partitionOf(row)];
      const name = `${topic}/${partition}`;
      let share = shares.get(name);
      if (!share) shares.set(name, (share = { topic, partition, rows: [], bytes: 0 }));
      if (share.bytes > PROBE_BYTES && this.pass.isSuspect(topic, partition)) continue;
      share.rows.push(row);
      share.bytes += row.value.byteLength;
    }
    return [...shares.values()];
  }

  /** Never rejects. Calls of one turn share their way to the bus, so a call for each partition costs no more than one for all. */
  async #send(share: Share): Promise<void> {
    const { topic, partition, rows } = share;
    const sentAt = performance.now();
    try {
      if (partition === NO_PARTITION) throw noSuchTopic(topic);
      share.outcomes = await this.driver.publish(rows.map((row) => recordOf(row, partition)));
    } catch (cause) {
      // A bus that takes nothing at all says so once: that says nothing about any one record.
      const error = isOfTheRecord(cause) ? refused(cause) : (cause as Error);
      share.outcomes = rows.map(() => ({ error }));
    }
    share.isLate = performance.now() - sentAt > PATIENCE_MS;
  }

  #await(share: Share, call: Promise<void>, token: number): void {
    const { topic, partition, bytes } = share;
    this.pass.awaitAnswer(topic, partition, performance.now());
    this.#unansweredBytes += bytes;
    const noted = call
      .then(() => this.#note(share, token))
      .then(() => {
        this.#unansweredBytes -= bytes;
        this.#awaited.delete(noted);
        this.events.answered();
      });
    this.#awaited.add(noted);
  }

  /** Never rejects. What is answered at once is noted at once: a connection for each answer would leave none for the service. */
  async #note(share: Share, token: number): Promise<void> {
    this.#late.push({ share, token });
    await (this.#noting ??= this.#noteLate());
  }

  /** Ends in the turn that finds nothing left: what comes a moment later is noted by the next. */
  async #noteLate(): Promise<void> {
    await Promise.resolve(); // until whoever began it holds it
    while (this.#late.length > 0) {
      for (const [token, answers] of Map.groupBy(this.#late.splice(0), (answer) => answer.token)) {
        const shares = answers.map(({ share }) => share);
        try {
          await this.#settle(shares, token);
        } catch (error) {
          for (const { topic, partition } of shares) this.pass.failed(topic, partition, performance.now());
          this.events.failed(error);
        }
      }
    }
    this.#noting = undefined;
  }

  async #settle(shares: readonly Share[], token: number): Promise<boolean> {
    const written = shares.flatMap(({ rows, outcomes }) =>
      outcomes!.flatMap((outcome, at) => ('offset' in outcome ? [{ id: rows[at]!.id, ...outcome }] : [])),
    );
    const isMarked = written.length === 0 || (await this.rows.mark(written, token)) > 0;
    if (!isMarked) this.events.lostLease();
    const failures: Error[] = [];
    for (const { topic, partition, rows, outcomes, isLate } of shares) {
      const errors = outcomes!.flatMap((outcome, at) => ('error' in outcome ? [{ row: rows[at]!, ...outcome }] : []));
      if (isMarked)
        for (const { row, error } of errors) if (isOfTheRecord(error)) await this.events.setAside(row, error);
      const failure = errors.find(({ error }) => !isOfTheRecord(error))?.error;
      if (failure) {
        this.pass.failed(topic, partition, performance.now());
        failures.push(failure);
      } else this.pass.went(topic, partition, performance.now(), isLate);
    }
    // What several failed of at once is told once.
    if (failures[0]) this.events.failed(failures[0]);
    return isMarked;
  }
}

function recordOf({ topic, key, headers, value, unsigned }: OutboxRow, partition: number): OutgoingRecord {
  return { topic, key, headers: unsigned ? withSignature(headers, value) : headers, value, partition };
}

/** Resolves with the work, or once patience ends. */
async function inTime(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** Nothing is set aside because the bus refuses everything. */
const refused = (cause: unknown): RagmeshError =>
  new RagmeshError('DEPENDENCY.UNAVAILABLE', 'The event bus takes no records.', {}, { cause });

const noSuchTopic = (topic: string): RagmeshError =>
  new RagmeshError('DEPENDENCY.UNAVAILABLE', `Topic ${topic} does not exist; provision it.`, { topic });

/**
 * Whether it lies in the record that it is not taken. A refusal may say it is final (a client without the right to write) and
 * still pass, and what waits for it must be there then.
 */
const isOfTheRecord = (error: unknown): error is RagmeshError =>
  isRagmeshError(error) && error.code === 'EVENT.TOO_LARGE';
