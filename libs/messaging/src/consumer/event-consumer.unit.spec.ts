import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger } from '@ragmesh/observability';
import { eventually } from '../../../testing/src/bus-conformance/bus-fixture.js';
import type { BusDriver, BusRecord, Position, Subscription } from '../driver/bus-driver.js';
import { encodeEvent } from '../envelope/cloud-events.js';
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

/** Starts that are noted in memory, by event. */
class Notes implements DeliveryJournal {
  readonly starts = new Map<string, number>();
  readonly letters: string[] = [];
  refusal: unknown;

  async begin(attempts: readonly Attempt[]) {
    return attempts.map(({ eventId }) => {
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

  async commit(): Promise<HandlerResult> {
    return ack();
  }

  async scheduleRetry() {}

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

  it('waits with one it cannot read while its storage is away', async () => {
    const { consumer, seat, notes } = await consume(async () => ack());
    notes.refusal = new RagmeshError('STORAGE.UNAVAILABLE', 'Away.');
    consumer.deliver([{ ...recordAt(0, 'a'), headers: {} }, recordAt(1, 'b')]);
    await eventually('the other has ended', () => notes.starts.size === 1);
    expect(seat.stored).not.toContain(2);
    notes.refusal = undefined;
    await eventually('it is kept and passed', () => notes.letters.length === 1 && seat.stored.at(-1) === 2);
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
