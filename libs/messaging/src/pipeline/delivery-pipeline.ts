import { findEventSpec } from '@ragmesh/contracts';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import { counter, reportUnexpected, type Logger } from '@ragmesh/observability';
import { isRefusedValue } from '@ragmesh/postgres';
import type { BusRecord } from '../driver/bus-driver.js';
import { readEnvelope } from '../envelope/cloud-events.js';
import type { Message } from '../envelope/message.js';
import { readRetryState } from '../envelope/retry-headers.js';
import type { Attempt, DeliveryJournal, DeliveryState, Failure } from '../handling/delivery-journal.js';
import {
  mayBeHandlerOf,
  unreadableHandler,
  type EventHandler,
  type HandlerRegistry,
} from '../handling/event-handler.js';
import { mayTryAgain, retryDelayMs, type RetryPolicy } from '../handling/retry-policy.js';
import { AttemptStarts } from './attempt-starts.js';
import { runAttempt } from './attempt.js';
import { Mutex } from './mutex.js';
import { readPayload } from './read-payload.js';
import { RunningAttempts } from './running-attempts.js';

/** Starts without an end after which an event is taken to be what crashes the process. */
const MAX_STARTS = 3;

export interface PipelineOptions {
  readonly service: string;
  readonly registry: HandlerRegistry;
  readonly journal: DeliveryJournal;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
}

type Envelope = Omit<Message, 'payload'>;
type Named = Pick<EventHandler, 'id'>;

/** What the envelope of a record says, and whose business it is; or why it cannot be read, or its type is not known. */
type ReadRecord =
  { readonly envelope: Envelope; readonly handlers: readonly EventHandler[] } | { readonly unreadable: RagmeshError };

/** A record that is being handled. */
interface Due {
  readonly record: BusRecord;
  readonly envelope: Envelope;
  readonly running: RunningAttempts;
  readonly leaveSlot: () => void;
}

/**
 * What happens to every record, in this order: envelope → note the start → skip what is settled → trace → decode →
 * deadline → handler → retry later, or dead letter. It throws only when the journal itself cannot be written.
 */
export class DeliveryPipeline {
  readonly #suspects = new Mutex();
  readonly #starts: AttemptStarts;

  constructor(private readonly options: PipelineOptions) {
    this.#starts = new AttemptStarts(options.journal);
  }

  /** What is begun at one record, for all runs of it; to be closed when there will be no further one. */
  attemptsAt(owned: AbortSignal): RunningAttempts {
    return new RunningAttempts(this.options.journal, owned, (error) => this.reportStalled(error));
  }

  /**
   * Handles a record to its end: committed, put off or given up. One that was aborted from outside may not have ended. When it
   * throws, it is to be run again with the same `running`, or what it began would be taken for what crashed a process.
   * @param running of this record alone; see {@link attemptsAt}.
   * @param leaveSlot called when it will wait for others, so that it keeps nobody from running.
   */
  async run(record: BusRecord, running: RunningAttempts, leaveSlot: () => void = () => undefined): Promise<void> {
    const { attempt, handlerId: retriedBy } = readRetryState(record);
    const read = this.#read(record);
    if ('unreadable' in read) {
      return this.#giveUp(record, { id: unreadableHandler(this.options.service) }, attempt, read.unreadable);
    }
    const { envelope, handlers } = read;
    if (handlers.length === 0) return retriedBy === undefined ? undefined : this.#giveUpUnknown(record, retriedBy);
    const attempts = handlers.map(({ id }) => ({ eventId: envelope.id, handlerId: id, attempt }));
    const states = await this.#starts.begin(attempts);
    running.begun(attempts.filter((_, at) => isNew(states[at]!)));
    const due = { record, envelope, running, leaveSlot };
    for (const [at, handler] of handlers.entries()) {
      if (running.owned.aborted) return;
      await this.#handle(due, handler, attempts[at]!, states[at]!);
    }
  }

  /** Logs that the consumer waits for its storage. */
  reportStalled(error: unknown): void {
    this.options.logger.warn({ code: asRagmeshError(error).code }, 'Event handling waits for its storage');
  }

  #read(record: BusRecord): ReadRecord {
    try {
      const envelope = readEnvelope(record);
      if (!findEventSpec(envelope.type)) {
        const text = `This release does not know the event type ${envelope.type}.`;
        return { unreadable: new RagmeshError('EVENT.VERSION_UNSUPPORTED', text) };
      }
      return { envelope, handlers: this.options.registry.for(envelope.type, readRetryState(record).handlerId) };
    } catch (error) {
      return { unreadable: asRagmeshError(error) };
    }
  }

  async #handle(due: Due, handler: EventHandler, attempt: Attempt, state: DeliveryState): Promise<void> {
    if (state.kind === 'settled') {
      due.running.ended(attempt);
      this.#count(handler, 'duplicate');
      return;
    }
    const starts = due.running.leftBehind(attempt, state.starts);
    if (starts <= 0) return this.#attempt(due, handler, attempt);
    due.leaveSlot();
    await this.#suspects.run(() => this.#attemptSuspect(due, handler, attempt, starts));
  }

  /**
   * Suspects of a crash run one at a time and are counted one by one, so the innocent are not parked with the guilty.
   * @param starts of processes that are gone.
   */
  async #attemptSuspect(due: Due, handler: EventHandler, attempt: Attempt, starts: number): Promise<void> {
    if (due.running.owned.aborted) return;
    if (starts >= MAX_STARTS) {
      const text = `Handling was begun ${starts} times and never ended.`;
      const error = new RagmeshError('EVENT.CRASHED_PROCESS', text, { starts });
      return this.#giveUp(due.record, handler, attempt.attempt, error);
    }
    await due.running.beginAgain(attempt);
    await this.#attempt(due, handler, attempt);
  }

  async #attempt({ record, envelope, running, leaveSlot }: Due, handler: EventHandler, begun: Attempt): Promise<void> {
    const { journal, service } = this.options;
    const { attempt } = begun;
    const { owned } = running;
    const waiting = {
      standAside: () => {
        leaveSlot();
        return running.standAside(begun);
      },
      goOn: () => running.beginAgain(begun),
    };
    try {
      const message = { ...envelope, payload: readPayload(handler.spec, record.value) };
      const result = await runAttempt({ service, record, handler, message, attempt, owned, journal, waiting });
      this.#count(handler, result.kind);
      if (result.kind === 'skip')
        this.options.logger.debug({ handler: handler.id, reason: result.reason }, 'Event skipped');
    } catch (cause) {
      // Not a failure of the event: it stays uncommitted and the partition's next owner gets it.
      if (owned.aborted) return;
      await this.#recover(record, handler, attempt, asRagmeshError(cause));
    }
    running.ended(begun);
  }

  async #recover(record: BusRecord, handler: EventHandler, attempt: number, error: RagmeshError): Promise<void> {
    const { journal, retry, logger } = this.options;
    if (!mayTryAgain(attempt, error, retry)) return this.#giveUp(record, handler, attempt, error);
    const delayMs = retryDelayMs(attempt, error, retry, Math.random());
    await journal.scheduleRetry({ record, handlerId: handler.id, attempt, error }, delayMs);
    logger.warn(
      { handler: handler.id, code: error.code, attempt, delay_ms: delayMs, err: error },
      'Event will be tried again',
    );
    this.#count(handler, 'retry');
  }

  /**
   * A retry for a handler of another release: this copy is not yet new, or the handler has another name now. A letter, unlike
   * passing it over, can be replayed once all copies know it. What such a copy has ended with is none.
   */
  async #giveUpUnknown(record: BusRecord, named: string): Promise<void> {
    const { service } = this.options;
    const { attempt } = readRetryState(record);
    const id = mayBeHandlerOf(service, named) ? named : unreadableHandler(service);
    const [state] = await this.#starts.begin([{ eventId: record.headers['ce_id']!, handlerId: id, attempt }]);
    if (state!.kind === 'settled') return this.#count({ id }, 'duplicate');
    const text = 'This release has no such handler for a retry of this event; replay it once all copies have.';
    await this.#giveUp(record, { id }, attempt, new RagmeshError('EVENT.VERSION_UNSUPPORTED', text));
  }

  /** Says so only once that is done: while the storage fails it is tried again and again. */
  async #giveUp(record: BusRecord, handler: Named, attempt: number, error: RagmeshError): Promise<void> {
    await this.#deadLetter({ record, handlerId: handler.id, attempt, error });
    this.options.logger.error({ handler: handler.id, code: error.code, attempt, err: error }, 'Event given up');
    reportUnexpected(error, { service: this.options.service, where: handler.id, ...idsOf(record) });
    this.#count(handler, 'dead-letter');
    counter('ragmesh_dead_letters_total').inc({ service: this.options.service, handler: handler.id, code: error.code });
  }

  /** A letter no table takes is passed over: waiting changes nothing, and the record stays where it lies for as long as its topic does. */
  async #deadLetter(failure: Failure): Promise<void> {
    try {
      await this.options.journal.deadLetter(failure);
    } catch (error) {
      if (!isRefusedValue(error)) throw error;
      const { topic, partition, offset } = failure.record;
      const at = { handler: failure.handlerId, code: failure.error.code, topic, partition, offset };
      this.options.logger.error(at, 'An event that was given up could not be kept and is passed over');
    }
  }

  #count(handler: Named, outcome: string): void {
    counter('ragmesh_events_handled_total').inc({ service: this.options.service, handler: handler.id, outcome });
  }
}

const isNew = (state: DeliveryState): boolean => state.kind === 'open' && state.starts === 0;

const idsOf = ({ headers }: BusRecord): { requestId: string; traceId: string } => ({
  requestId: headers['ce_correlation'] ?? '',
  traceId: headers['traceparent']?.split('-')[1] ?? '',
});
