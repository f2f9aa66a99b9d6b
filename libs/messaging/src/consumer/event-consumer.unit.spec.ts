import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger, renderMetrics } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import type { BusDriver, BusRecord, Position, Subscription } from '../driver/bus-driver.js';
import { encodeEvent } from '../envelope/cloud-events.js';
import type { Message } from '../envelope/message.js';
import type { Delivery } from '../handling/delivery.js';
import type { Attempt, DeliveryJournal, Failure } from '../handling/delivery-journal.js';
import { HandlerRegistry } from '../handling/event-handler.js';
import { ack, type HandlerResult } from '../handling/handler-result.js';
import { defaultRetryPolicy } from '../handling/retry-policy.js';
import { DeliveryPipeline } from '../pipeline/delivery-pipeline.js';
import { EventConsumer } from './event-consumer.js';

const spec = catalogue.documentDeleted;
const origin = { source: '/ragmesh/document', tenant: 'acme', actor: 'ada', correlationId: 'r', trace: {} };

function recordAt(offset: number, documentId: string): BusRecord {
  const { topic, key, headers, value } = encodeEvent(spec, documentId, { documentId }, origin);
  return { topic, key, headers, value, partition: 0, offset, timestamp: 0 };
}

const full = (): RagmeshError => new RagmeshError('STORAGE.FULL', 'The database has no disk space left.');

/** Starts that are noted in memory, by event. */
class Notes implements DeliveryJournal {
  readonly starts = new Map<string, number>();
  readonly letters: string[] = [];
  readonly effects: string[] = [];
  refusal: unknown;
  /** How often each event's effect finds the disk full, while small notes still fit. */
  fullFor = 0;
  readonly #refused = new Map<string, number>();

  async begin(attempts: readonly Attempt[]) {
    return attempts.map(({ eventId }) => {
      if (this.effects.includes(eventId)) return { kind: 'settled' as const };
      const starts = this.starts.get(eventId) ?? 0;
      if (starts === 0) this.starts.set(eventId, 1);
      return { kind: 'open' as const, starts };
    });
  }

  async beginAgain({ eventId }: Attempt) {
    this.starts.set(eventId, this.starts.get(eventId)! + 1);
  }

  async interrupted(attempts: readonly Attempt[]) {
    for (const { eventId } of attempts) this.starts.set(eventId, this.starts.get(eventId)! - 1);
  }

  async commit(_: unknown, { id }: Message): Promise<HandlerResult> {
    const refused = this.#refused.get(id) ?? 0;
    if (refused < this.fullFor) throw full();
    this.effects.push(id);
    return ack();
  }

  /** Comes after a commit that was refused, and is refused with it. */
  async scheduleRetry({ record }: Failure) {
    const id = record.headers['ce_id']!;
    this.#refused.set(id, (this.#refused.get(id) ?? 0) + 1);
    throw full();
  }

  async deadLetter({ error }: Failure) {
    if (this.refusal !== undefined) throw this.refusal;
    this.letters.push(error.code);
  }
}

/** A place in a group that takes a moment to leave. */
class Seat implements Subscription {
  readonly stored: number[] = [];
  failures = 0;

  async commit(positions: readonly Position[]) {
    if (this.failures-- > 0) throw new RagmeshError('STORAGE.UNAVAILABLE', 'Away.');
    this.stored.push(...positions.map(({ offset }) => offset));
  }

  pause() {}
  resume() {}
  isAlive = () => true;
  lag = async () => [];
  close = () => new Promise<void>((resolve) => setTimeout(resolve, 120));
}

async function consume(handle: (id: string, delivery: Delivery) => Promise<HandlerResult>, notes = new Notes()) {
  const registry = new HandlerRegistry();
  registry.add({ id: 'spec.handler', spec, deadlineSeconds: 60, handle: ({ subject }, to) => handle(subject, to) });
  const logger = createLogger('vector', 'silent');
  const pipeline = new DeliveryPipeline({
    service: 'vector',
    registry,
    journal: notes,
    retry: defaultRetryPolicy,
    logger,
  });
  const consumer = new EventConsumer(pipeline, { group: 'spec', topics: [spec.topic], concurrency: 2 });
  const seat = new Seat();
  await consumer.start({ subscribe: async () => seat } as unknown as BusDriver);
  return { consumer, seat, notes };
}

const untilAborted = ({ signal }: Delivery): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

/** What alerts look at: letters and outcomes of a handler. */
async function countOf(handler: string): Promise<number[]> {
  const { body } = await renderMetrics();
  const lines = [`letters_total{service="vector",handler="${handler}",code="EVENT.INVALID"}`];
  lines.push(`handled_total{service="vector",handler="${handler}",outcome="dead-letter"}`);
  return lines.map((line) => parseInt(body.split(line)[1] ?? '0'));
}

describe('a consumer that is stopped while a handler runs', () => {
  it('passes over nothing that has not ended, however long leaving takes', async () => {
    const { consumer, seat } = await consume((id, delivery) =>
      id === 'long' ? untilAborted(delivery) : Promise.resolve(ack()),
    );
    consumer.deliver([recordAt(0, 'short'), recordAt(1, 'long'), recordAt(2, 'other')]);
    await eventually('what ended is stored', () => seat.stored.at(-1) === 1);
    await consumer.stop(0);
    expect(seat.stored).toEqual([1]);
  });

  it('does not count it as a crash, however often it happens', async () => {
    const notes = new Notes();
    const record = recordAt(0, 'long');
    for (let restart = 0; restart < 5; restart += 1) {
      let running = false;
      const { consumer } = await consume((_, delivery) => {
        running = true;
        return untilAborted(delivery);
      }, notes);
      consumer.deliver([record]);
      await eventually('it runs', () => running);
      await consumer.stop(0);
    }
    expect(notes.letters).toEqual([]);
    expect([...notes.starts.values()]).toEqual([0]);
  });
});

describe('a consumer', () => {
  it('stores a position again that could not be stored, also when nothing follows', async () => {
    const { consumer, seat } = await consume(async () => ack());
    seat.failures = 1;
    consumer.deliver([recordAt(0, 'a')]);
    await eventually('it is stored', () => seat.stored.at(-1) === 1);
    await consumer.stop(1_000);
  });

  it('goes on past a record that can be neither read nor kept', async () => {
    const { consumer, seat, notes } = await consume(async () => ack());
    notes.refusal = Object.assign(new Error('invalid byte sequence'), { code: '22021' });
    consumer.deliver([{ ...recordAt(0, 'a'), headers: {} }, recordAt(1, 'b')]);
    await eventually('both are passed', () => seat.stored.at(-1) === 2);
    await consumer.stop(1_000);
  });

  it('waits with one it cannot read while its storage is away, and then counts it as given up, once', async () => {
    const before = await countOf('vector.unreadable');
    const { consumer, seat, notes } = await consume(async () => ack());
    notes.refusal = new RagmeshError('STORAGE.UNAVAILABLE', 'Away.');
    consumer.deliver([{ ...recordAt(0, 'a'), headers: {} }, recordAt(1, 'b')]);
    await eventually('the other has ended', () => notes.starts.size === 1);
    expect(seat.stored).not.toContain(2);
    notes.refusal = undefined;
    await eventually('it is kept and passed', () => notes.letters.length === 1 && seat.stored.at(-1) === 2);
    expect(await countOf('vector.unreadable')).toEqual(before.map((count) => count + 1));
    await consumer.stop(1_000);
  });

  it('handles new events while suspects of a crash wait for each other', async () => {
    const suspects = [recordAt(0, 's0'), recordAt(1, 's1'), recordAt(2, 's2')];
    const notes = new Notes();
    for (const { headers } of suspects) notes.starts.set(headers['ce_id']!, 1);
    const done: string[] = [];
    const gate = Promise.withResolvers<void>();
    let most = 0;
    let running = 0;
    const { consumer } = await consume(async (id) => {
      if (id.startsWith('s')) {
        most = Math.max(most, (running += 1));
        await gate.promise;
        running -= 1;
      }
      done.push(id);
      return ack();
    }, notes);
    consumer.deliver([...suspects, recordAt(3, 'new')]);
    await eventually('the new one is handled', () => done.length > 0);
    expect(done).toEqual(['new']);
    gate.resolve();
    await eventually('the suspects are, too', () => done.length === 4);
    expect(most).toBe(1);
    await consumer.stop(1_000);
  });
});

describe('an event that three processes died of', () => {
  it('is given up, once, also when the letter cannot be kept at first', async () => {
    const notes = new Notes();
    const record = recordAt(0, 'deadly');
    notes.starts.set(record.headers['ce_id']!, 3);
    notes.refusal = full();
    let runs = 0;
    const { consumer, seat } = await consume(async () => {
      runs += 1;
      return ack();
    }, notes);
    consumer.deliver([record, recordAt(1, 'other')]);
    await eventually('the other one is handled', () => runs === 1);
    notes.refusal = undefined;
    await eventually('both are passed', () => seat.stored.at(-1) === 2);
    expect(notes.letters).toEqual(['EVENT.CRASHED_PROCESS']);
    expect(runs).toBe(1);
    await consumer.stop(1_000);
  });
});

describe('an event whose storage is full', () => {
  it('waits until there is room, is not taken for one that crashes the process, and has one effect', async () => {
    const notes = new Notes();
    notes.fullFor = 5;
    const record = recordAt(0, 'a');
    const { consumer, seat } = await consume(async () => ack(), notes);
    consumer.deliver([record]);
    await eventually('it is passed', () => seat.stored.at(-1) === 1);
    expect(notes.letters).toEqual([]);
    expect(notes.effects).toEqual([record.headers['ce_id']]);
    expect([...notes.starts.values()]).toEqual([1]);
    await consumer.stop(1_000);
  });

  it('is handled together with others once there is room again', async () => {
    const notes = new Notes();
    notes.fullFor = 1;
    let running = 0;
    let mostAfterwards = 0;
    const tries = new Map<string, number>();
    const { consumer, seat } = await consume(async (id) => {
      tries.set(id, (tries.get(id) ?? 0) + 1);
      running += 1;
      if (tries.get(id)! > 1) mostAfterwards = Math.max(mostAfterwards, running);
      await delay(50);
      running -= 1;
      return ack();
    }, notes);
    consumer.deliver([recordAt(0, 'a'), recordAt(1, 'b')]);
    await eventually('all are passed', () => seat.stored.at(-1) === 2);
    expect([...tries.values()]).toEqual([2, 2]);
    expect(mostAfterwards).toBe(2);
    await consumer.stop(1_000);
  });

  it('stays a suspect of the crash that was before, and runs alone, but is counted once', async () => {
    const suspects = [recordAt(0, 'a'), recordAt(1, 'b')];
    const notes = new Notes();
    notes.fullFor = 3;
    for (const { headers } of suspects) notes.starts.set(headers['ce_id']!, 1);
    let running = 0;
    let most = 0;
    const { consumer, seat } = await consume(async () => {
      most = Math.max(most, (running += 1));
      await delay(20);
      running -= 1;
      return ack();
    }, notes);
    consumer.deliver(suspects);
    await eventually('all are passed', () => seat.stored.at(-1) === 2);
    expect(most).toBe(1);
    expect(notes.letters).toEqual([]);
    expect([...notes.starts.values()]).toEqual([2, 2]);
    await consumer.stop(1_000);
  });

  it('leaves no start behind when the service stops or the partition moves meanwhile', async () => {
    const notes = new Notes();
    notes.fullFor = Infinity;
    const [stopped, moved] = [recordAt(0, 'a'), { ...recordAt(0, 'b'), partition: 1 }];
    const { consumer } = await consume(async () => ack(), notes);
    const startsOf = ({ headers }: BusRecord) => notes.starts.get(headers['ce_id']!);
    consumer.deliver([stopped]);
    consumer.deliver([moved]);
    await eventually('both wait', () => startsOf(stopped) === 1 && startsOf(moved) === 1);
    await delay(50);
    await consumer.revoked([moved]);
    await eventually('the one that moved is taken back', () => startsOf(moved) === 0);
    await consumer.stop(5_000);
    expect(startsOf(stopped)).toBe(0);
    expect(notes.letters).toEqual([]);
  });
});
