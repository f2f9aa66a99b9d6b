import { findEventSpec } from '@ragmesh/contracts';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import { counter, reportUnexpected, type Logger } from '@ragmesh/observability';
import type { BusRecord } from '../driver/bus-driver.js';
import { readEnvelope } from '../envelope/cloud-events.js';
import type { Message } from '../envelope/message.js';
import { readRetryState } from '../envelope/retry-headers.js';
import type { DeliveryJournal } from '../handling/delivery-journal.js';
import type { EventHandler, HandlerRegistry } from '../handling/event-handler.js';
import { mayTryAgain, retryDelayMs, type RetryPolicy } from '../handling/retry-policy.js';
import { AttemptStarts } from './attempt-starts.js';
import { runAttempt } from './attempt.js';
import { Mutex } from './mutex.js';
import { readPayload } from './read-payload.js';

/** Starts without an end after which an event is taken to be what crashes the process. */
const MAX_STARTS = 3;

export interface PipelineOptions {
  readonly service: string;
  readonly registry: HandlerRegistry;
  readonly journal: DeliveryJournal;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
}

/** What the envelope of a record says, and whose business it is. */
interface ReadRecord {
  readonly envelope?: Envelope;
  readonly handlers: readonly EventHandler[];
  /** Set when the envelope cannot be read or its type is unknown. */
  readonly unreadable?: RagmeshError;
}

type Envelope = Omit<Message, 'payload'>;

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

  /** Handles a record to its end: committed, put off or given up. */
  async run(record: BusRecord, owned: AbortSignal): Promise<void> {
    const { attempt } = readRetryState(record);
    const { envelope, handlers, unreadable } = this.#read(record);
    if (unreadable) {
      const handlerId = `${this.options.service}.unreadable`;
      return this.options.journal.deadLetter({ record, handlerId, attempt, error: unreadable });
    }
    if (handlers.length === 0) return;
    const begun = handlers.map(({ id }) => ({ eventId: envelope?.id ?? '', handlerId: id, attempt }));
    const states = await this.#starts.begin(begun);
    for (const [at, handler] of handlers.entries()) {
      const state = states[at]!;
      if (state.kind === 'settled') this.#count(handler, 'duplicate');
      else if (state.starts === 0) await this.#attempt(record, handler, owned);
      else await this.#suspects.run(() => this.#attemptSuspect(record, handler, state.starts, owned));
    }
  }

  /** Logs that the consumer waits for its storage. */
  reportStalled(error: unknown): void {
    this.options.logger.warn({ code: asRagmeshError(error).code }, 'Event handling waits for its storage');
  }

  #read(record: BusRecord): ReadRecord {
    try {
      const envelope = readEnvelope(record.headers);
      if (!findEventSpec(envelope.type)) {
        const text = `This release does not know the event type ${envelope.type}.`;
        return { handlers: [], unreadable: new RagmeshError('EVENT.VERSION_UNSUPPORTED', text) };
      }
      return { envelope, handlers: this.options.registry.for(envelope.type, readRetryState(record).handlerId) };
    } catch (error) {
      return { handlers: [], unreadable: asRagmeshError(error) };
    }
  }

  /** Suspects of a crash run one at a time and are counted one by one, so the innocent are not parked with the guilty. */
  async #attemptSuspect(record: BusRecord, handler: EventHandler, starts: number, owned: AbortSignal): Promise<void> {
    const { attempt } = readRetryState(record);
    if (starts >= MAX_STARTS) {
      const text = `Handling was begun ${starts} times and never ended.`;
      const error = new RagmeshError('EVENT.CRASHED_PROCESS', text, { starts });
      return this.#giveUp(record, handler, attempt, error);
    }
    await this.options.journal.beginAgain({ eventId: readEnvelope(record.headers).id, handlerId: handler.id, attempt });
    await this.#attempt(record, handler, owned);
  }

  async #attempt(record: BusRecord, handler: EventHandler, owned: AbortSignal): Promise<void> {
    const { attempt } = readRetryState(record);
    const { journal, service } = this.options;
    try {
      const message = { ...readEnvelope(record.headers), payload: readPayload(handler.spec, record.value) };
      const result = await runAttempt({ service, record, handler, message, attempt, owned, journal });
      this.#count(handler, result.kind);
      if (result.kind === 'skip')
        this.options.logger.debug({ handler: handler.id, reason: result.reason }, 'Event skipped');
    } catch (cause) {
      // Not a failure of the event: it stays uncommitted and the partition's next owner gets it.
      if (owned.aborted) return;
      await this.#recover(record, handler, attempt, asRagmeshError(cause));
    }
  }

  async #recover(record: BusRecord, handler: EventHandler, attempt: number, error: RagmeshError): Promise<void> {
    const { journal, retry, logger } = this.options;
    if (!mayTryAgain(attempt, error, retry)) return this.#giveUp(record, handler, attempt, error);
    const delayMs = retryDelayMs(attempt, retry, Math.random());
    logger.warn(
      { handler: handler.id, code: error.code, attempt, delay_ms: delayMs, err: error },
      'Event will be tried again',
    );
    this.#count(handler, 'retry');
    await journal.scheduleRetry({ record, handlerId: handler.id, attempt, error }, delayMs);
  }

  async #giveUp(record: BusRecord, handler: EventHandler, attempt: number, error: RagmeshError): Promise<void> {
    this.options.logger.error({ handler: handler.id, code: error.code, attempt, err: error }, 'Event given up');
    reportUnexpected(error, { service: this.options.service, where: handler.id, ...idsOf(record) });
    this.#count(handler, 'dead-letter');
    counter('ragmesh_dead_letters_total').inc({ service: this.options.service, handler: handler.id, code: error.code });
    await this.options.journal.deadLetter({ record, handlerId: handler.id, attempt, error });
  }

  #count(handler: EventHandler, outcome: string): void {
    counter('ragmesh_events_handled_total').inc({ service: this.options.service, handler: handler.id, outcome });
  }
}

const idsOf = ({ headers }: BusRecord): { requestId: string; traceId: string } => ({
  requestId: headers['ce_correlation'] ?? '',
  traceId: headers['traceparent']?.split('-')[1] ?? '',
});
