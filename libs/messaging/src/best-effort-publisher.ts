import { setTimeout as delay } from 'node:timers/promises';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { EventSpec, ServiceName } from '@ragmesh/contracts';
import { currentContext, injectTrace, type Logger } from '@ragmesh/observability';
import type { BusDriver, OutgoingRecord } from './driver/bus-driver.js';
import { partitionForKey } from './driver/partitioner.js';
import { encodeEvent } from './envelope/cloud-events.js';

const FLUSH_MS = 200;
const MAX_WAITING = 10_000;
/** What closing gives a bus that does not answer. */
const CLOSE_MS = 2_000;

/**
 * Events that tell what happened and that nothing depends on. Publishing never waits and never fails: events are
 * collected for 200 ms and written together, one write at a time; what finds the queue full or the bus away is dropped,
 * counted and logged.
 * Events that matter go through the outbox instead.
 */
export class BestEffortPublisher {
  #waiting: (() => OutgoingRecord)[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;

  constructor(
    private readonly service: ServiceName,
    private readonly bus: BusDriver,
    private readonly logger: Logger,
  ) {}

  /** Events dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes tenant, request id and trace from the running request. */
  publish<Desc extends DescMessage>(spec: EventSpec<Desc>, subject: string, payload: MessageInitShape<Desc>): void {
    const context = currentContext();
    if (!context || this.#waiting.length >= MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    const { tenant, subject: actor, requestId: correlationId } = context;
    const origin = { source: `/ragmesh/${this.service}`, tenant, actor, correlationId };
    const trace = injectTrace();
    this.#waiting.push(() => this.#record(encodeEvent(spec, subject, payload, { ...origin, trace })));
    this.#flushSoon();
  }

  /** Writes what is still waiting, as far as the bus takes it within two seconds. */
  async close(): Promise<void> {
    await Promise.race([this.#flushRest(), delay(CLOSE_MS, undefined, { ref: false })]);
  }

  #record({ topic, key, headers, value }: ReturnType<typeof encodeEvent>): OutgoingRecord {
    return { topic, key, headers, value, partition: partitionForKey(key, this.bus.partitionsOf(topic)) };
  }

  #flushSoon(): void {
    if (this.#flushing || this.#waiting.length === 0) return;
    this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS).unref();
  }

  async #flushRest(): Promise<void> {
    await this.#flushing;
    await this.#flush();
  }

  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#flushing = this.#write(batch).finally(() => {
      this.#flushing = undefined;
      this.#flushSoon();
    });
    return this.#flushing;
  }

  async #write(batch: readonly (() => OutgoingRecord)[]): Promise<void> {
    if (batch.length === 0) return;
    const before = this.#dropped;
    try {
      const outcomes = await this.bus.publish(batch.map((make) => make()));
      this.#dropped += outcomes.filter((outcome) => 'error' in outcome).length;
    } catch (error) {
      this.#dropped += batch.length;
      this.logger.warn(
        { err: error, events: batch.length },
        'Best-effort events were dropped, the bus did not take them',
      );
      return;
    }
    if (this.#dropped > before)
      this.logger.warn({ events: this.#dropped - before }, 'Some best-effort events were dropped');
  }
}
